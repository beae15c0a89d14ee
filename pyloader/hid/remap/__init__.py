"""The remap compiler: a file of rules, for one device, into the table of hid/remap/remap.bpf.c."""
