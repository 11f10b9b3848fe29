"""Damage to files: bits turned, ends lost, pieces moved, values replaced."""

import json
from copy import deepcopy
from typing import Any
from zlib import crc32

from hypothesis import strategies as st

EXTREMES = (b"\x00", b"\xff", b"\x7f", b"\x80")
ODD_VALUES = (
    None,
    True,
    -1,
    0,
    1 << 31,
    1 << 63,
    -(1 << 63),
    10**40,
    1e300,
    float("nan"),
    float("inf"),
    "",
    "\u0000",
    "../../..",
    "x" * 300,
    [],
    [0] * 50,
    {},
    [[[[[]]]]],
)

# Half of the blows strike the beginning or the end, where a bag says what is in it.
_where = st.one_of(
    st.floats(0, 1),
    st.floats(0, 1).map(lambda share: share**4),
    st.floats(0, 1).map(lambda share: 1 - share**4),
)
_blow = st.one_of(
    st.tuples(st.just("flip"), _where, st.integers(1, 255)),
    st.tuples(st.just("cut"), _where, st.just(0)),
    st.tuples(st.just("drop"), _where, st.integers(1, 64)),
    st.tuples(st.just("fill"), _where, st.integers(0, 4 * 12 - 1)),
    st.tuples(st.just("move"), _where, st.integers(1, 10_000)),
    st.tuples(st.just("swell"), _where, st.integers(1, 4000)),
)
blows = st.lists(_blow, min_size=1, max_size=4)
"""What happens to a file, one after another."""


def struck(data: bytes, todo: list[tuple[str, float, int]]) -> bytes:
    """Return a file after some blows."""
    found = bytearray(data)
    for kind, share, number in todo:
        at = int(share * max(len(found) - 1, 0))
        if kind == "flip" and found:
            found[at] ^= number
        elif kind == "cut":
            del found[at:]
        elif kind == "drop":
            del found[at : at + number]
        elif kind == "fill":
            found[at : at + 1 + number % 12] = EXTREMES[number // 12] * (1 + number % 12)
        elif kind == "move":
            piece = found[at : at + 200]
            found[number : number + len(piece)] = piece
        elif kind == "swell":
            found[at:at] = found[at : at + number]
    return bytes(found)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values within a JSON document."""
    found = [path] if path else []
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, one in inner:
        found += places(one, (*path, key))
    return found


def replaced(document: bytes, swaps: list[tuple[int, Any]]) -> bytes:
    """Return a JSON document with some of its values replaced, or taken out for `...`."""
    whole = json.loads(document)
    for number, value in swaps:
        paths = places(whole)
        if not paths:
            break
        *way, last = paths[number % len(paths)]
        holder = whole
        for key in way:
            holder = holder[key]
        if value is ...:
            del holder[last]
        else:
            holder[last] = deepcopy(value)
    return json.dumps(whole).encode()


def signed(facts: bytes, bag: bytes) -> bytes:
    """Return facts that vouch for a bag, so that damage gets past the checksum."""
    whole = json.loads(facts)
    if isinstance(whole, dict):
        whole["bag_bytes"], whole["bag_crc32"] = len(bag), crc32(bag)
    return json.dumps(whole).encode()
