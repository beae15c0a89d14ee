"""Strategies for report descriptors: what devices send, and anything at all."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.hid_descriptors import (
    COLLECTION,
    END,
    FEATURE,
    INPUT,
    LOGICAL_MAX,
    LOGICAL_MIN,
    OUTPUT,
    PREFIXES,
    REPORT_COUNT,
    REPORT_ID,
    REPORT_SIZE,
    USAGE,
    USAGE_MAX,
    USAGE_MIN,
    USAGE_PAGE,
    item,
)


@st.composite
def well_formed(draw: st.DrawFn) -> bytes:
    """A descriptor that every parser understands alike: what devices really send."""
    out = bytearray(
        item(USAGE_PAGE, 1) + item(USAGE, draw(st.integers(1, 8))) + item(COLLECTION, 1)
    )
    is_numbered = draw(st.booleans())
    for number in range(1, draw(st.integers(1, 3)) + 1):
        if is_numbered:
            out += item(REPORT_ID, number)
        for _ in range(draw(st.integers(1, 4))):
            out += draw(_field())
    return bytes(out + item(END))


@st.composite
def _field(draw: st.DrawFn) -> bytes:
    page = draw(st.sampled_from([1, 7, 8, 9, 12, 13, 0xFF00]))
    low = draw(st.sampled_from([0, 1, -1, -127, -32768]))
    high = draw(st.integers(max(low, 0) + 1, 32767))
    size, count = draw(st.integers(1, 32)), draw(st.integers(1, 12))
    out = bytearray(item(USAGE_PAGE, page) + item(LOGICAL_MIN, low))
    # With a byte too many the sign is where every reader sees it.
    out += item(LOGICAL_MAX, high, 4) + item(REPORT_SIZE, size) + item(REPORT_COUNT, count)
    kind = draw(st.sampled_from([INPUT, OUTPUT, FEATURE]))
    if draw(st.integers(0, 5)) == 0:
        return bytes(out + item(kind, 3))
    first = draw(st.integers(1, 200))
    if draw(st.booleans()):
        last = first + draw(st.integers(0, 20))
        out += item(USAGE_MIN, first) + item(USAGE_MAX, last)
    else:
        for usage in draw(st.lists(st.integers(1, 300), min_size=1, max_size=6)):
            out += item(USAGE, usage)
    return bytes(out + item(kind, draw(st.sampled_from([0, 2, 6]))))


@st.composite
def _any_item(draw: st.DrawFn) -> bytes:
    prefix = draw(st.sampled_from(PREFIXES))
    size = draw(st.sampled_from([0, 1, 1, 1, 2, 4]))
    return item(prefix, draw(st.integers(0, (1 << 8 * size) - 1)) if size else None, size)


#: Items in any order with any values: many are refused, and some are taken that no device sends.
anything = st.one_of(
    st.lists(_any_item(), max_size=60).map(b"".join),
    st.binary(max_size=4096),
    st.tuples(well_formed(), st.lists(_any_item(), max_size=4)).map(
        lambda x: x[0] + b"".join(x[1])
    ),
)
