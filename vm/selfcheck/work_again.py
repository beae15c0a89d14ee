"""The same work once more: see ``vm.selfcheck.fixed``."""

from __future__ import annotations

from vm.selfcheck.fixed import workload

WORKLOAD = workload("work-again", "the same work once more")
