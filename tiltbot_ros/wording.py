"""Numbers as people write them."""

import datetime as dt

_UNITS = ("B", "kB", "MB", "GB", "TB")


def size(count: float) -> str:
    """Return a number of bytes as people write it."""
    for unit in _UNITS[:-1]:
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} {_UNITS[-1]}"


def local_time(stamp_ns: int) -> str:
    """Return a stamp [ns] as local date and time."""
    moment = dt.datetime.fromtimestamp(stamp_ns / 1e9, tz=dt.UTC).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def counted(count: int, noun: str) -> str:
    """Return "1 episode", "2 episodes"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
