"""A data set's folder: one recorder at a time, numbers that never come twice."""

import fcntl
import os
import re
import shutil
from pathlib import Path

from tiltbot_ros.episodes.facts import FACTS_FILE
from tiltbot_ros.errors import RecordingError

TRASH = "trash"

_LOCK = ".lock"
_LAST_ID = ".last_id"
_PARTIAL = ".partial"
_EPISODE = re.compile(r"ep_(\d{6,})(\.partial)?")


def is_episode_name(name: str) -> bool:
    """Say whether a directory of this name is a finished episode."""
    match = _EPISODE.fullmatch(name)
    return match is not None and match[2] is None


def bag_file(path: Path) -> Path:
    """Return the MCAP file of an episode's directory, or where it should be."""
    bag = path / f"{path.name}.mcap"
    return bag if bag.is_file() else next(iter(sorted(path.glob("*.mcap"))), bag)


class DataFolder:
    """The folder that one recorder writes to.

    Opening it takes its lock, finishes or removes what a killed recorder left
    (see `swept` and `recovered`), and finds the next free number: higher than
    every number ever given out, those in the trash included.

    Args:
        path: made when it does not exist.

    Raises:
        RecordingError: another recorder holds it, or it cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise RecordingError(f"{path}: cannot be written to: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise RecordingError(
                f"{path}: another recorder writes to this folder: stop it or give another --out"
            ) from error
        self._last = self._highest_number()
        self.swept, self.recovered = self._sweep()

    def close(self) -> None:
        """Release the lock."""
        os.close(self._lock)

    def free_bytes(self) -> int:
        """Return what the disk has left for us [B]."""
        return shutil.disk_usage(self.path).free

    def take_number(self) -> str:
        """Return the next episode's id; it is never given out again."""
        self._last += 1
        self._note_last()
        return f"ep_{self._last:06d}"

    def reserve(self, last: int) -> None:
        """Never give out the numbers up to `last`: they belong to somebody else."""
        self._last = max(self._last, last)
        self._note_last()

    def partial(self, episode_id: str) -> Path:
        """Return where an unfinished episode is written."""
        return self.path / f"{episode_id}{_PARTIAL}" / episode_id

    def finish(self, episode_id: str) -> Path:
        """Give a written and synced episode its final name, durably."""
        inner = self.partial(episode_id)
        final = self.path / episode_id
        inner.rename(final)
        sync_directory(self.path)
        inner.parent.rmdir()
        return final

    def abandon(self, episode_id: str) -> None:
        """Remove what there is of an unfinished episode."""
        shutil.rmtree(self.partial(episode_id).parent, ignore_errors=True)

    def _sweep(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        swept, recovered = [], []
        for outer in sorted(self.path.glob(f"ep_*{_PARTIAL}")):
            episode_id = outer.name.removesuffix(_PARTIAL)
            if (outer / episode_id / FACTS_FILE).is_file():
                self.finish(episode_id)
                recovered.append(episode_id)
            else:
                shutil.rmtree(outer)
                swept.append(episode_id)
        return tuple(swept), tuple(recovered)

    def _note_last(self) -> None:
        scratch = self.path / f"{_LAST_ID}.new"
        scratch.write_text(f"{self._last}\n", encoding="ascii")
        scratch.replace(self.path / _LAST_ID)

    def _highest_number(self) -> int:
        numbers = [0]
        for folder in (self.path, self.path / TRASH):
            if folder.is_dir():
                numbers += [
                    int(match[1])
                    for entry in folder.iterdir()
                    if (match := _EPISODE.fullmatch(entry.name))
                ]
        noted = self.path / _LAST_ID
        if noted.is_file():
            text = noted.read_text(encoding="ascii", errors="replace").strip()
            numbers.append(int(text) if text.isdecimal() else 0)
        return max(numbers)


def sync_file(path: Path) -> None:
    """Have a file's content on disk before returning."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Have a directory's entries on disk before returning."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file's content: after a crash it is the old or the new, never half."""
    scratch = path.with_name(f"{path.name}.new")
    with scratch.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    scratch.replace(path)
    sync_directory(path.parent)
