"""The names of the Tilt-Bot release: time stamps, experiments, sound files."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tiltbot_ros.errors import FormatError

_STAMP = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})-(\d{1,2})-(\d{1,2})-(\d{1,2})-(\d{1,6})")
_SOUND = re.compile(r"(?P<stamp>[\d-]+)_(?P<number>\d+)\.mp3")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

FOLDERS = ("rgb", "depth", "data", "audio")


@dataclass(frozen=True, kw_only=True, slots=True)
class Experiment:
    """One folder of the release.

    Attributes:
        object: what was in the tray, by the name of the folder above.
        name: of the experiment.
        path: of its folder.
    """

    object: str
    name: str
    path: Path


def stamp_ns(name: str, where: Path) -> int:
    """Return the time that a name tells: `YYYY-M-D-h-m-s-us.ext`, taken as UTC [ns].

    Raises:
        FormatError: it tells none.
    """
    match = _STAMP.fullmatch(name.split(".", maxsplit=1)[0])
    parts = [int(part) for part in match.groups()] if match else []
    try:
        year, month, day, hour, minute, second, microsecond = parts
        moment = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC)
    except ValueError as error:
        raise FormatError(
            f"{where}: expected a name such as 2019-5-21-14-3-22-123456.jpg "
            f"(year-month-day-hour-minute-second-microsecond), got {name[:80]!r}"
        ) from error
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def find_experiments(root: Path) -> list[Experiment]:
    """Return the experiments under a folder: of a release, of one object, or one experiment.

    Raises:
        FormatError: there is no such folder, or no experiment in it.
    """
    if not root.is_dir():
        raise FormatError(f"{root}: expected a folder with the Tilt-Bot release, found none")
    root = root.resolve()
    for depth in range(3):
        folders = sorted(path.parent for path in root.glob("*/" * depth + "audio") if path.is_dir())
        if folders:
            return [
                Experiment(object=path.parent.name, name=path.name, path=path) for path in folders
            ]
    raise FormatError(
        f"{root}: expected <object>/<experiment>/{{{','.join(FOLDERS)}}}, found no folder 'audio'"
    )


def sound_files(folder: Path) -> dict[str, dict[int, Path]]:
    """Return the MP3 files of a folder by time stamp and number.

    Raises:
        FormatError: there is none.
    """
    found: dict[str, dict[int, Path]] = {}
    for path in sorted(folder.iterdir()):
        match = _SOUND.fullmatch(path.name)
        if match:
            found.setdefault(match["stamp"], {})[int(match["number"])] = path
    return found
