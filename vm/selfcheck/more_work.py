"""5 % more of the work: see ``vm.selfcheck.fixed``."""

from __future__ import annotations

from vm.selfcheck.fixed import workload

WORKLOAD = workload("more-work", "5 % more of the work", more_per_mille=50)
