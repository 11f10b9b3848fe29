"""The clock: set by NTP, and does it run as the monotonic one does?"""

import ctypes
import datetime as dt
import time

from tiltbot_ros.doctor.findings import Finding, Needs, ok, warn

_BUILT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_WATCH_S = 0.5
_PART_S = 0.002
_TIME_ERROR = 5
_STA_UNSYNC = 0x0040
_TIMEX_BYTES = 208
_STATUS_OFFSET = 40
_NTP = "sudo timedatectl set-ntp true, or install chrony, on every computer of the rig"


def examine(needs: Needs) -> list[Finding]:
    """Examine the clock that stamps the data."""
    return [_date(), _synchronised(needs), _rate()]


def _date() -> Finding:
    now = dt.datetime.now(tz=dt.UTC).astimezone()
    text = now.strftime("%Y-%m-%d %H:%M:%S %Z")
    if now < _BUILT:
        return warn("date", f"{text} is in the past", _NTP)
    return ok("date", text)


def _synchronised(needs: Needs) -> Finding:
    """Ask the kernel, which knows of every NTP daemon."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        state = ctypes.create_string_buffer(_TIMEX_BYTES)
        answer = libc.adjtimex(state)
        status = int.from_bytes(state.raw[_STATUS_OFFSET : _STATUS_OFFSET + 4], "little")
    except (OSError, AttributeError):
        answer, status = -1, 0
    if answer < 0:
        return warn("synchronised", "the kernel does not tell", "timedatectl tells")
    if answer != _TIME_ERROR and not status & _STA_UNSYNC:
        return ok("synchronised", "NTP holds the clock")
    text = "no NTP daemon holds the clock: it may drift and jump"
    if needs.simulated:
        return ok("synchronised", f"{text}; one simulated rig does not mind")
    return warn("synchronised", text, _NTP)


def _rate() -> Finding:
    """Compare the clock with the monotonic one for a moment."""
    start = time.time_ns() - time.monotonic_ns()
    time.sleep(_WATCH_S)
    parted_s = (time.time_ns() - time.monotonic_ns() - start) / 1e9
    text = f"parts from the monotonic clock by {parted_s * 1e6:+.0f} us in {_WATCH_S:g} s"
    if abs(parted_s) > _PART_S:
        return warn("rate", text, "something sets the clock: let one NTP daemon alone do it")
    return ok("rate", text)
