"""The matrix: schedulers under workloads on machines, again and again, in a shuffled order.

``plan`` says what is measured in which order, ``worker.measure`` does a machine's share of it, by
``boot`` and, inside the guest, ``agent``. ``bench`` brings all together; what is done stands in the
``ledger``, on disk in its ``journal``.
"""
