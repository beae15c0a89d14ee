"""Where batches are measured: here, or wherever a ``concurrent.futures.Executor`` takes them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from importlib.metadata import entry_points
from typing import Any

from pyloader.errors import ScxhidError, UnknownName, Unsupported, WrongUse
from pyloader.names import nearest

GROUP = "scxhid.executors"

#: Those that come with scxhid; others join through entry points of ``GROUP``.
OURS = {"dask": "vm.matrix.on_dask:connect"}

#: Called with what stands after the name, or with nothing; gives an executor, or a context manager
#: of one.
Factory = Callable[..., Any]


def names() -> list[str]:
    """All names that there are."""
    return sorted({*OURS, *(point.name for point in entry_points(group=GROUP))})


@contextmanager
def executor(text: str) -> Generator[Executor]:
    """The executor that ``NAME[:ARGUMENT]`` or ``MODULE:FACTORY[:ARGUMENT]`` means.

    Raises:
        UnknownName, WrongUse: there is none such.
        Unsupported: a package that it needs is not installed.
        ScxhidError: it cannot be had, with its reason.
    """
    where, argument = _named(text)
    factory = _loaded(where, text)
    with ExitStack() as stack:
        try:
            made: Any = factory(argument) if argument else factory()
            is_one = hasattr(made, "__enter__")
            found: Any = stack.enter_context(made) if is_one else made
        except ScxhidError:
            raise
        except Exception as error:
            why = " ".join(str(error).split()) or type(error).__name__
            raise ScxhidError(f"the executor {text} cannot be had: {why}") from error
        if not is_one or not hasattr(found, "submit"):
            raise WrongUse(f"{where} gave a {type(found).__name__}, which is no executor")
        yield found


def _named(text: str) -> tuple[str, str]:
    """``MODULE:FACTORY`` and its argument."""
    name, _, rest = text.partition(":")
    ours = OURS.get(name) or next(
        (point.value for point in entry_points(group=GROUP, name=name)), ""
    )
    if ours:
        return ours, rest
    function, _, argument = rest.partition(":")
    if not function:
        raise UnknownName(
            "executor",
            text,
            nearest(text, names()),
            f"there are {', '.join(names())}, and any MODULE:FACTORY",
        )
    return f"{name}:{function}", argument


def _loaded(where: str, text: str) -> Factory:
    module, _, attribute = where.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except ModuleNotFoundError as error:
        if error.name and not module.startswith(error.name):
            raise Unsupported(
                f"the executor {text} needs the Python package {error.name}, which is not installed"
            ) from None
        raise WrongUse(f"there is no module {module} for the executor {text}") from None
    except AttributeError:
        raise WrongUse(f"the module {module} has no {attribute} for the executor {text}") from None
    if not callable(found):
        raise WrongUse(f"{where} is no function that makes an executor")
    return found
