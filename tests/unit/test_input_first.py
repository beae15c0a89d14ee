"""Input first without a kernel that has it: which device is meant, and how a chain is drawn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.catalog import find_input_mark
from pyloader.cli import input_show
from pyloader.errors import UnknownName, Unsupported, WrongUse
from pyloader.input_first import chains, change, models
from pyloader.input_first.chains import Chain, Hop
from pyloader.input_first.models import Model
from tests.unit.test_cli import Scxhid

THERE = {
    Model(3, 0x46D, 0xC52B): "Logitech USB Receiver",
    Model(5, 0x46D, 0xC52B): "Logitech over Bluetooth",
    Model(0x11, 1, 1): "AT Translated Set 2 keyboard",
    Model(0x18, 0x6CB, 0xCE7A): "Touchpad",
}
WORD = st.integers(0, 0xFFFF)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "named", lambda: THERE)


@given(WORD, WORD, WORD, st.booleans())
def test_a_model_that_is_written_out_need_not_be_there(
    bus: int, vendor: int, product: int, is_lower: bool
) -> None:
    model = Model(bus, vendor, product)
    assert Model.of_key(model.key) == model
    text = str(model).lower() if is_lower else str(model)
    assert models.find(text) == model
    assert models.find(f" {text}.0004 ") == model  # as sysfs names a HID device


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("1:1", Model(0x11, 1, 1)),
        ("06cb:ce7a", Model(0x18, 0x6CB, 0xCE7A)),
        ("touchPAD", Model(0x18, 0x6CB, 0xCE7A)),
        ("usb receiver", Model(3, 0x46D, 0xC52B)),
    ],
)
def test_a_device_is_meant_by_its_ids_or_a_part_of_its_name(text: str, model: Model) -> None:
    assert models.find(text) == model


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("46d:c52b", "may be 2 devices: 0003:046D:C52B (Logitech USB Receiver), 0005:"),
        ("logitech", "may be 2 devices"),
        ("tuchpad", "no input device is called 'tuchpad'; did you mean Touchpad"),
        (" ", "needs a name"),
    ],
)
def test_what_may_be_several_or_none_is_refused(text: str, said: str) -> None:
    with pytest.raises((WrongUse, UnknownName), match=None) as raised:
        models.find(text)
    assert said in str(raised.value)


def test_devices_are_named_in_one_way_only() -> None:
    with pytest.raises(WrongUse, match="either as the only ones"):
        change.on(only=["1:2:3"], without=["1:2:4"])
    with pytest.raises(WrongUse, match="either as the only ones"):
        change.on(only=["1:2:3"], everything=True)


def test_every_program_watches_something_or_is_always_there() -> None:
    programs = set(find_input_mark().open().programs)
    assert programs == {*change.WATCHED, *change.ALWAYS}


def hop(depth: int, woken_us: float, ran_us: float | None, used_us: float = 0) -> Hop:
    ran = int(ran_us * 1000) if ran_us is not None else 0
    times = {"woken_ns": int(woken_us * 1000), "ran_ns": ran, "used_ns": int(used_us * 1000)}
    return Hop(depth=depth, pid=100 + depth, comm=f"hop{depth}", waker=depth, cpu=1, **times)


def test_a_chain_is_drawn_to_scale(capsys: pytest.CaptureFixture[str]) -> None:
    hops = (hop(0, 1000, 1250, 250), hop(1, 1500, 1750, 125), hop(2, 1750, None))
    input_show.draw(Chain(7, "0003:046D:C52B", "Mouse", 900_000, hops, left_out=2))
    dots, bar = "·" * 10, "█" * 10
    assert capsys.readouterr().out.splitlines() == [
        "event 7 of Mouse (0003:046D:C52B), 975.0 µs",
        f"  hop0 (100){dots + bar:>43}{'':18}waited 250.0 µs, ran 250.0 µs on CPU 1",
        f"    hop1 (101){dots + bar[:5]:>56}   waited 250.0 µs, ran 125.0 µs on CPU 1",
        f"      hop2 (102){dots[:6]:>55}  waits",
        "  and 2 more",
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 10**10), st.none() | st.integers(0, 10**9), st.integers(0, 10**9)),
        max_size=8,
    )
)
def test_any_chain_can_be_drawn_and_told(of: list[tuple[int, int | None, int]]) -> None:
    hops = tuple(
        Hop(0, 1, "x", 0, woken, 0 if waited is None else woken + waited, 0, used)
        for woken, waited, used in of
    )
    chain = Chain(1, "0003:0001:0002", "Any", 0, hops)
    for line in input_show.lines(chain):
        assert len(line) < 120
    told = chains.to_json(chain)
    assert len(told["hops"]) == len(hops)


def test_a_kernel_without_sched_ext_says_so(scxhid: Scxhid) -> None:
    failed = scxhid("input", "on")
    assert failed.status == 3
    assert "has no sched_ext" in failed.err
    assert scxhid("input", "off").out == "input first was off; nothing changed\n"
    assert scxhid("input", "show", "--json").out == '{\n  "on": false\n}\n'
    assert "budget_us" in scxhid("input", "knobs").out


def test_a_function_that_the_kernel_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = find_input_mark().open()
    monkeypatch.setattr(change, "functions", lambda names: {"hid_report_raw_event"} & set(names))
    with pytest.raises(Unsupported, match="no function evdev_events, where input first sees"):
        change.attach(spec, {}, None)
    said: list[str] = []
    monkeypatch.setattr(change, "functions", lambda names: {"evdev_events"} & set(names))
    monkeypatch.setattr(type(spec), "load", lambda *_, **how: loads.append(how["without"]))
    loads: list[list[str]] = []
    with pytest.raises(TypeError):  # what the stand-in gave is no object
        change.attach(spec, {}, said.append)
    assert loads == [["hid_ends", "hid_begins"]]
    assert "readers of evdev go first, readers of hidraw do not" in said[0]
