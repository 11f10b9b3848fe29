"""Shift the times inside serialised messages."""

from functools import cache
from struct import Struct, error
from typing import Any

from rosbags.interfaces import Nodetype

from tiltbot_ros.episodes.cdr import NS_PER_S, header_stamp_ns, time_ns
from tiltbot_ros.episodes.typestore import has_header, typestore
from tiltbot_ros.errors import EpisodeError

_TIME_TYPE = "builtin_interfaces/msg/Time"
_HEADER_TYPE = "std_msgs/msg/Header"
_TIME = {0: Struct(">iI"), 1: Struct("<iI")}
_STAMP = slice(4, 12)


def restamp(msgtype: str, data: bytes, offset_ns: int) -> bytes:
    """Return a raw message with every time in it moved by `offset_ns`.

    Every `builtin_interfaces/Time` is moved: the header's stamp, but also a
    tilt's start and end, or the headers within an array. A time of zero says
    "not set" and stays. Durations stay. A message whose only time is its
    header's stamp, such as an image, is not deserialised.

    Args:
        msgtype: "package/msg/Name".
        data: the CDR bytes.
        offset_ns: may be negative [ns].

    Raises:
        EpisodeError: the type is not known, the bytes are none of its
            messages, or a time would leave the years 1970 to 2038.
    """
    headed = has_header(msgtype)
    try:
        if _has_inner_times(msgtype):
            message = typestore().deserialize_cdr(data, msgtype)
            _shift(message, msgtype, offset_ns)
            return bytes(typestore().serialize_cdr(message, msgtype))
        if not headed:
            return data
        stamp_ns = header_stamp_ns(data)
        if stamp_ns == 0:
            return data
        sec, nanosec = _split(stamp_ns + offset_ns)
        return data[: _STAMP.start] + _TIME[data[1]].pack(sec, nanosec) + data[_STAMP.stop :]
    except EpisodeError:
        raise
    except (error, ValueError) as problem:
        raise EpisodeError(f"a time of a {msgtype} cannot be moved: {problem}") from problem
    except Exception as problem:  # the parser of CDR raises anything on corrupt bytes
        raise EpisodeError(
            f"expected a whole {msgtype}, got {len(data)} bytes: "
            f"{type(problem).__name__}: {problem}"
        ) from problem


def _split(t_ns: int) -> tuple[int, int]:
    sec, nanosec = divmod(t_ns, NS_PER_S)
    if not 0 <= sec < 1 << 31:
        raise ValueError(f"expected a time from 1970 to 2038, got {sec} s")
    return sec, nanosec


def _fields(msgtype: str) -> list[tuple[str, str, bool]]:
    """Return name, message type and whether it is an array, of the fields that are messages."""
    found = []
    for name, (kind, spec) in typestore().get_msgdef(msgtype).fields:
        if kind == Nodetype.NAME:
            found.append((name, str(spec), False))
        elif kind in (Nodetype.ARRAY, Nodetype.SEQUENCE) and spec[0][0] == Nodetype.NAME:
            found.append((name, str(spec[0][1]), True))
    return found


@cache
def _has_times(msgtype: str) -> bool:
    return msgtype == _TIME_TYPE or any(_has_times(kind) for _, kind, _ in _fields(msgtype))


@cache
def _has_inner_times(msgtype: str) -> bool:
    """Say whether there are times besides that of a header at the beginning."""
    fields = _fields(msgtype)[1 if has_header(msgtype) else 0 :]
    return any(_has_times(kind) for _, kind, _ in fields)


def _shift(message: Any, msgtype: str, offset_ns: int) -> None:
    if msgtype == _TIME_TYPE:
        if t_ns := time_ns(message):
            message.sec, message.nanosec = _split(t_ns + offset_ns)
        return
    for name, kind, many in _fields(msgtype):
        if _has_times(kind):
            value = getattr(message, name)
            for part in value if many else (value,):
                _shift(part, kind, offset_ns)
