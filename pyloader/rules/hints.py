"""Rules that are right, and fit nothing as the machine is now."""

from __future__ import annotations

from pyloader.errors import NotPermitted
from pyloader.rules.model import RuleSet


def hint(rules: RuleSet) -> str | None:
    """A sentence on the rules for input if input first is off, or nobody may see that it is not."""
    numbers = sorted({rule.number for rule in rules.rules if rule.input})
    if not numbers:
        return None
    from pyloader.input_first import state

    which = ", ".join(map(str, numbers))
    which = f"rule {which} fits" if len(numbers) == 1 else f"rules {which} fit"
    switch = "`scxhid input on` switches it on"
    try:
        is_on = state.is_on()
    except NotPermitted:
        return f"{which} only while input first is on, which only root can see; {switch}"
    return None if is_on else f"{which} nothing as long as input first is off; {switch}"
