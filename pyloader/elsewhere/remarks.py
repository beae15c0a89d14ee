"""What to tell somebody who is about to attach a scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyloader.elsewhere.adapt import require_sizes
from pyloader.elsewhere.halves import missing_half
from pyloader.elsewhere.ignores import ignores, in_words
from pyloader.elsewhere.shape import SCHED_OPS
from pyloader.errors import BadObject

if TYPE_CHECKING:
    from pyloader.spec import ObjectSpec


def before_use(spec: ObjectSpec) -> list[str]:
    """Sentences, the most important first; none for one that is whole and honours everything.

    None either for one that ``use`` will refuse: the refusal says why.
    """
    try:
        spec.sole_ops(SCHED_OPS)
        require_sizes(spec)
    except BadObject:
        return []
    said = [f"warning: its own user-space program {half}" for half in missing_half(spec)]
    unheard = in_words(ignores(spec))
    return [f"{spec.name}: {line}" for line in [*said, unheard] if line]
