"""Names of usages, against those of hid-tools, page by page and number by number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hidtools.hut import HUT

from pyloader.hid import usages

#: Pages of vendors, and VESA Command, which no published table has.
LEFT_OUT = {0x00, 0x83, 0xFF00, 0xFF0D}

#: Where hid-tools has the name of an older table, an abbreviation or a slip: what ours is.
OTHERWISE = {
    0x0001_0008: "Multi-axis Controller",
    0x0001_003C: "Motion Wakeup",
    0x0001_0047: "Feature Notification",
    0x0001_0087: "System Menu Help",
    0x0001_00B5: "System Display Toggle Int/Ext Mode",
    0x0001_00B7: "System Display Toggle LCD Autoscale",
    0x0002_000C: "Bicycle Simulation Device",
    0x0002_00BC: "Flight Communications",
    0x0006_0001: "Background/Nonuser Controls",
    0x0008_000F: "Surround On",
    0x0008_0054: "Blue LED Channel",
    0x0008_0055: "Green LED Channel",
    0x000B_002A: "Line",
    0x000B_0109: "Voicemail Message Waiting",
    0x000B_010A: "Host Hold",
    0x000C_00E9: "Volume Increment",
    0x000C_00EA: "Volume Decrement",
    0x000C_0168: "Channel Low Frequency Enhancement",
    0x000C_0181: "AL Launch Button Configuration Tool",
    0x000C_0182: "AL Programmable Button Configuration",
    0x000C_0183: "AL Consumer Control Configuration",
    0x000C_01A5: "AL Preemptive Halt Task/Application",
    0x000C_01BD: "AL OEM Features/Tips/Tutorial Browser",
    0x000C_01C4: "AL Customized Corporate News Browser",
    0x000C_028F: "AC Download",
    0x000C_029B: "AC Distribute Horizontally",
    0x000C_02C8: "Keyboard Input Assist Next",
    0x000D_0051: "Contact Identifier",
    0x000D_0052: "Device Mode",
    0x000D_0053: "Device Identifier",
    0x000D_0055: "Contact Count Maximum",
    0x000D_0059: "Pad Type",
    0x000D_005C: "Preferred Color",
    0x000D_0065: "UTF8 Character Gesture Encoding",
    0x000D_0066: "UTF16 Little Endian Character Gesture Encoding",
    0x000D_0067: "UTF16 Big Endian Character Gesture Encoding",
    0x000D_006A: "Capacitive Heat Map Protocol Vendor ID",  # HUTRR87; HUTRR76's went to 6D
    0x000D_0084: "Err Full Trans Features Unavailable",
    0x000E_0010: "Waveform List",
    0x000E_0011: "Duration List",
    0x0020_040B: "Data Field: Fix Type",
    0x0020_0803: "Sensor State: No Data",
    0x0020_4073: None,  # 0473
    0x0041_0224: None,  # 0214 to 0216
    0x0041_0225: None,
    0x0041_0226: None,
    **dict.fromkeys(range(0x0080_0005, 0x0080_000D)),  # on page 82 in the Monitor Control Class
    0x0082_0016: "Red Video Gain",
    0x0082_0018: "Green Video Gain",
    0x0082_001A: "Blue Video Gain",
    0x0082_0056: "Horizontal Moiré",
    0x0082_0058: "Vertical Moiré",
    0x0082_0062: None,  # D4
    0x0082_006C: "Red Video Black Level",
    0x0082_006E: "Green Video Black Level",
    0x0082_0070: "Blue Video Black Level",
}

PAGES = [page for page in HUT if page not in LEFT_OUT]


def bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


@pytest.mark.parametrize("page", PAGES, ids=[f"{page:04x}" for page in PAGES])
def test_a_page_has_what_hid_tools_has(page: int) -> None:
    assert not usages.page_name(page).startswith("Page 0x")
    if page == usages.KEYBOARD:
        return
    said = {n: usage.name for n, usage in HUT[page].items() if n}  # 0 is none on every page
    theirs = {n: OTHERWISE.get(page << 16 | n, name) for n, name in said.items()}
    ours = {n: usages.name(page << 16 | n) for n in said}
    assert {n: name and bare(name) for n, name in ours.items()} == {
        n: name and bare(name) for n, name in theirs.items()
    }


def test_no_exception_is_left_over() -> None:
    there = {page << 16 | n: usage.name for page in PAGES for n, usage in HUT[page].items()}
    assert not [
        f"{usage:08x}"
        for usage, name in OTHERWISE.items()
        if usage not in there or (name and bare(name) == bare(there[usage]))
    ]


def test_keys_are_named_by_what_is_printed_without_shift() -> None:
    """Theirs tells both: ``a and A``, ``1 and !``, ``Keypad 1 and End``."""
    ours = usages.names(usages.KEYBOARD)
    assert not [n for n in HUT[usages.KEYBOARD] if n not in ours]
    for number, usage in HUT[usages.KEYBOARD].items():
        first, both, _ = usage.name.partition(" and ")
        if both and first.replace("Keypad ", "").isalnum() and first != "Grave Accent":
            expected = "Num Lock" if first.endswith("Num Lock") else first.upper()
            assert ours[number].upper() == expected.upper()


def test_a_number_stands_for_itself_where_there_is_no_more() -> None:
    words = [usages.in_words(usage) for usage in (0x90003, 0xA0002, 0x100041, 0x810007, 0x90000)]
    assert words == ["Button 3", "Instance 2", "U+0041", "Enum 7", "Button 0x0000"]


def test_what_the_tables_leave_free_is_told_by_number() -> None:
    assert usages.name(0x0001_0003) is None
    assert usages.in_words(0x0001_0003) == "Generic Desktop 0x0003"
    assert usages.in_words(0x00AA_0001) == "Page 0x00aa 0x0001"
    assert usages.in_words(0xFF00_0001) == "Vendor 0xff00 0x0001"


def test_pages_that_hid_tools_lacks_have_their_names() -> None:
    """It has no usages of them, or not these."""
    known = {
        0x000F_0070: "Magnitude",
        0x000F_0094: "Effect Playing",
        0x000F_00A7: "Start Delay",
        0x0084_0004: "UPS",
        0x0084_0030: "Voltage",
        0x0084_0069: "Shutdown Imminent",
        0x0085_0066: "Remaining Capacity",
        0x0085_00D0: "AC Present",
        0x008C_0002: "Barcode Scanner",
        0x008C_0100: "Bar Space Data",
        0x008C_011D: "QR Code",
        0x008D_0040: "Data Weight",
        0x008D_005C: "Weight Unit Pound",
        0x008E_0021: "Track 1 Data",
        0x0091_0030: "General Purpose Analog Input State",
        0x0082_00D4: "Stereo Mode",
    }
    assert {usage: usages.name(usage) for usage in known} == known


def test_the_table_gives_each_number_one_name() -> None:
    text = Path(usages.__file__).with_name("usages.txt").read_text()
    for part in text.split("\npage ")[1:]:
        seen: set[int] = set()
        for line in part.splitlines()[1:]:
            start, _, rest = line.partition(" ")
            run = range(int(start, 16), int(start, 16) + len(rest.split("; "))) if rest else ()
            assert not seen & set(run), f"{part[:2]}: {line[:30]}"
            assert not seen or not rest or int(start, 16) > max(seen), "out of order"
            seen |= set(run)
