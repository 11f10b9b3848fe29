"""The disk that the episodes go to: room, and speed against what the rig makes."""

import os
import shutil
import tempfile
import time
from pathlib import Path

from tiltbot_ros.doctor.findings import Finding, Needs, fail, ok, warn
from tiltbot_ros.wording import size

_PIECE = 4_000_000
_LONGEST_S = 1.0
_MOST = 200_000_000
_HOUR_S = 3600.0


def examine(needs: Needs) -> list[Finding]:
    """Examine the disk."""
    place = needs.out.expanduser().absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK):
        return [fail("disk", f"{place} cannot be written to", "give another folder with --out")]
    return [_room(place, needs), _speed(place, needs)]


def _room(place: Path, needs: Needs) -> Finding:
    free = shutil.disk_usage(place).free
    left = free - needs.disk_floor_bytes
    # Windows do not overlap, so that at most all of the time is recorded.
    hours = max(left, 0) / needs.bytes_per_s / _HOUR_S
    text = f"{size(free)} free at {place}: {hours:.1f} hours if every second is recorded"
    advice = "make room, or give a folder on another disk with --out"
    if left <= 0:
        text = f"{size(free)} free at {place}, the recorder leaves {size(needs.disk_floor_bytes)}"
        return fail("disk space", text, advice)
    if hours < 1.0:
        return warn("disk space", text, advice)
    return ok("disk space", text)


def _speed(place: Path, needs: Needs) -> Finding:
    """Write and sync for a second at most."""
    data = os.urandom(_PIECE)
    written = 0
    most = min(_MOST, shutil.disk_usage(place).free // 10)
    try:
        with tempfile.TemporaryFile(dir=place) as stream:
            start = time.perf_counter()
            while written < most and time.perf_counter() - start < _LONGEST_S:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
                written += len(data)
            elapsed = time.perf_counter() - start
    except OSError as error:
        return fail("disk speed", f"{place}: {error.strerror}", "give another folder with --out")
    rate = written / elapsed
    text = f"writes {size(rate)}/s, the rig makes at most {size(needs.bytes_per_s)}/s"
    if rate < needs.bytes_per_s:
        return fail("disk speed", text, "give a folder on a faster disk with --out")
    if rate < 2 * needs.bytes_per_s:
        return warn("disk speed", text, "a folder on a faster disk is safer: --out")
    return ok("disk speed", text)
