"""A configuration of keyd and what it is converted to: the same keys come out of both."""

from __future__ import annotations

import os
import select
import struct
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from pyloader.hid.parser import parse
from pyloader.hid.remap import codes
from tests import hid_reports
from tests.guest.command import done
from tests.guest.hid import Plugged, wait_for
from tests.hid_descriptors import KEYBOARD
from vm import keyd
from vm.guest_tests import KEYD_VARIABLE

ROOT = Path(os.environ.get(KEYD_VARIABLE) or "/absent")
pytestmark = pytest.mark.skipif(
    not ROOT.is_dir(), reason="Debian's package keyd could not be fetched"
)

IDS = {"vendor": 0x1209, "product": 1}
_EVENT = struct.Struct("qqHHi")  # struct input_event
_EV_KEY = 1
_MODIFIERS = {29: "C", 42: "S", 54: "S", 56: "A", 97: "C", 100: "G", 125: "M", 126: "M"}
_MOMENT_S, _END_S = 0.02, 1.5

MINE = """
[ids]
1209:0001

[global]
chord_timeout = 400

[main]
a = b
f1 = C-x
f3 = macro(hi C-t)
f4 = noop
j+k = esc
capslock = layer(nav)
space = overload(nav, space)
f = overloadt2(shift, f, 800)
d = overloadt(nav, d, 800)
rightalt = oneshot(nav)
f2 = toggle(nav)
leftalt = layer(caps)
f5 = layer(both)
f6 = overload(caps, tab)
f7 = toggle(caps)
f8 = oneshot(caps)

[nav]
h = left
x = !
u+i = pageup

[caps:C]
w = up
e = C-down
r = macro(hi)
f7 = toggle(caps)

[both:C-S]
w = home
"""

# What is typed, with seconds to wait in between, and the keys that come of it.
TYPED = {
    "+a -a +leftshift +a -a -leftshift": "b S-b",
    "+f1 -f1 +f4 -f4 +f3 -f3": "C-x h i C-t",
    "+j +k -j -k +j -j +j +l -l -j": "esc j j l",
    "+capslock +h -h +x -x +c -c -capslock +h -h": "left S-1 c h",
    "+capslock +u +i -u -i -capslock": "pageup",
    "+space -space +space +h -h -space": "space left",
    "+f -f +f +g -g -f +f 1.0 +g -g -f": "f S-g S-g",
    "+d +h -h -d +d 1.0 +h -h -d": "d h left",
    "+rightalt -rightalt +h -h +h -h +rightalt +h -h +h -h -rightalt": "left h left left",
    "+f2 -f2 +h -h +f2 -f2 +h -h": "left h",
    "+leftalt +w -w +c -c -leftalt +c -c": "up C-c c",
    "+leftalt +leftshift +w -w +c -c -leftshift +e -e +r -r -leftalt": "S-up CS-c C-down h i",
    "+leftalt +a -a +f1 -f1 +w +c -w -c -leftalt": "C-b C-x up C-c",
    "+leftalt +f5 +w -w +c -c -leftalt +w -w -f5": "C-home CS-c home",
    "+f6 -f6 +f6 +c -c +w -w -f6 +c -c": "tab C-c up c",
    "+f7 -f7 +c -c +w -w +f7 -f7 +c -c": "C-c up c",
    "+f8 -f8 +c -c +c -c +f8 -f8 +w -w +w -w": "C-c c up w",
}


class Listener:
    """Hears an input device: each key that goes down, with the modifiers that are held."""

    def __init__(self, name: str) -> None:
        node = wait_for(lambda: _event_node(name))
        self._fd = os.open(f"/dev/input/{node}", os.O_RDONLY | os.O_NONBLOCK)
        self._held: set[int] = set()

    def heard(self) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        while select.select([self._fd], [], [], 0)[0]:
            for *_, kind, code, value in _EVENT.iter_unpack(os.read(self._fd, 64 * _EVENT.size)):
                if kind != _EV_KEY or value == 2:
                    continue
                (self._held.add if value else self._held.discard)(code)
                if value and code not in _MODIFIERS:
                    held = {_MODIFIERS[each] for each in self._held if each in _MODIFIERS}
                    found.append((code, "".join(sorted(held))))
        return found

    def close(self) -> set[int]:
        """What is held at the end."""
        os.close(self._fd)
        return self._held


def _event_node(name: str) -> str | None:
    for path in Path("/sys/class/input").glob("event*/device/name"):
        if path.read_text().strip() == name:
            return path.parts[-3]
    return None


def type_all(plugged: Plugged, name: str) -> list[list[tuple[int, str]]]:
    """What comes out of the input device of that name, for each line of ``TYPED``."""
    descriptor = parse(plugged.uhid_rdesc)
    listener = Listener(name)
    raw: set[int] = set()
    heard: list[list[tuple[int, str]]] = []
    for line in TYPED:
        for word in line.split():
            if word[0] not in "+-":
                time.sleep(float(word))
                continue
            (raw.add if word[0] == "+" else raw.discard)(codes.codes_of(word[1:])[0])
            plugged.uhid.send(hid_reports.make(descriptor, 0, raw)[:8])
            time.sleep(_MOMENT_S)
        time.sleep(_END_S)
        heard.append(listener.heard())
    assert listener.close() == set()
    return heard


@pytest.fixture
def keyboard() -> Generator[Plugged]:
    with Plugged("A keyboard for both", KEYBOARD, bus=3, **IDS) as plugged:
        assert plugged.is_bound()
        yield plugged


@pytest.mark.slow
def test_the_same_keys_come_out_of_both(keyboard: Plugged, tmp_path: Path) -> None:
    with keyd.Daemon(ROOT, MINE) as daemon:
        daemon.wait_for_device(IDS["vendor"], IDS["product"])
        theirs = type_all(keyboard, keyd.OUTPUT_NAME)
    (tmp_path / "mine.conf").write_text(MINE)
    out = tmp_path / "mine.toml"
    done("hid", "import", "keyd", str(tmp_path / "mine.conf"), "-o", str(out))
    done("hid", "remap", str(out))
    ours = type_all(keyboard, "A keyboard for both")
    assert dict(zip(TYPED, ours, strict=True)) == dict(zip(TYPED, theirs, strict=True))
    assert [len(each) for each in theirs] == [len(keys.split()) for keys in TYPED.values()]


@pytest.mark.parametrize("example", keyd.examples(ROOT), ids=lambda path: path.stem)
def test_the_examples_of_the_package_become_files_that_fit_a_keyboard(
    keyboard: Plugged, example: Path, tmp_path: Path
) -> None:
    out = tmp_path / "mine.toml"
    done("hid", "import", "keyd", str(example), "-o", str(out))
    said = done("hid", "remap", str(out), "--check", "--json").json
    [found] = [each for each in said["devices"] if each["device"] == keyboard.sysname]
    assert found["rules"]
    assert found["warnings"] == []
