"""What a running machine does, measured while somebody looks: probes in C, and what reads them."""
