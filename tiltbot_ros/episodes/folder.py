"""A data set's folder: one recorder at a time, numbers that never come twice."""

import fcntl
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tiltbot_ros.episodes.facts import FACTS_FILE
from tiltbot_ros.errors import RecordingError

TRASH = "trash"

_LOCK = ".lock"
_LAST_ID = ".last_id"
_PARTIAL = ".partial"


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderKind:
    """What a data folder holds.

    Attributes:
        prefix: of the names of its entries.
        facts_file: written last into each, so that an entry with it is whole.
    """

    prefix: str
    facts_file: str

    def number(self, name: str) -> int | None:
        """Return the number in the name of an entry, finished or not; None for other names."""
        match = re.fullmatch(rf"{self.prefix}_(\d{{6,}})({re.escape(_PARTIAL)})?", name)
        return int(match[1]) if match else None

    def is_finished(self, name: str) -> bool:
        """Say whether a directory of this name is a finished entry."""
        return self.number(name) is not None and not name.endswith(_PARTIAL)


EPISODES = FolderKind(prefix="ep", facts_file=FACTS_FILE)


def is_episode_name(name: str) -> bool:
    """Say whether a directory of this name is a finished episode."""
    return EPISODES.is_finished(name)


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
        kind: what it holds.

    Raises:
        RecordingError: another recorder holds it, or it cannot be written to.
    """

    def __init__(self, path: Path, *, kind: FolderKind = EPISODES) -> None:
        self.path = path
        self._kind = kind
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
        return f"{self._kind.prefix}_{self._last:06d}"

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
        for outer in sorted(self.path.glob(f"{self._kind.prefix}_*{_PARTIAL}")):
            episode_id = outer.name.removesuffix(_PARTIAL)
            if (outer / episode_id / self._kind.facts_file).is_file():
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
                    number
                    for entry in folder.iterdir()
                    if (number := self._kind.number(entry.name)) is not None
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
