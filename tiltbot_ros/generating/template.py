"""Messages that differ in their stamp and a few numbers, serialised by writing these alone."""

from collections.abc import Callable
from struct import Struct
from typing import Any

from tiltbot_ros.episodes.cdr import NS_PER_S, make_header
from tiltbot_ros.episodes.typestore import typestore

_STAMP = Struct("<iI")
_STAMP_AT = 4
_DOUBLE = Struct("<d")


class Template:
    """Serialises messages of one type, a tenth of the time that field by field takes.

    Args:
        msgtype: "package/msg/Name", whose first field is a header.
        make: returns a message with a header and so many float64 values in it.
        frame: of the header.
        count: how many values.
    """

    def __init__(
        self, msgtype: str, make: Callable[[Any, tuple[float, ...]], Any], *, frame: str, count: int
    ) -> None:
        # Numbers that nothing else in the message looks like.
        marks = tuple(-1.0 - (number + 1) / 3.0 for number in range(count))
        message = make(make_header(0, frame), marks)
        self._bytes = bytes(typestore().serialize_cdr(message, msgtype))
        self._places = tuple(self._bytes.index(_DOUBLE.pack(mark)) for mark in marks)

    def fill(self, stamp_ns: int, values: tuple[float, ...] = ()) -> bytes:
        """Return the message with this stamp [ns] and these values."""
        data = bytearray(self._bytes)
        _STAMP.pack_into(data, _STAMP_AT, *divmod(stamp_ns, NS_PER_S))
        for place, value in zip(self._places, values, strict=True):
            _DOUBLE.pack_into(data, place, value)
        return bytes(data)
