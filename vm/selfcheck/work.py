"""The work itself: see ``vm.selfcheck.fixed``."""

from __future__ import annotations

from vm.selfcheck.fixed import workload

WORKLOAD = workload("work", "the work itself")
