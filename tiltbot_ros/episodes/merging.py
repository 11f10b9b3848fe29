"""Bring the episodes of several data folders together in one."""

import errno
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tiltbot_ros.episodes.catalogue import Listed, each_episode
from tiltbot_ros.episodes.facts import FACTS_FILE, EpisodeFacts, Origin
from tiltbot_ros.episodes.folder import (
    DataFolder,
    bag_file,
    sync_directory,
    sync_file,
    write_durably,
)
from tiltbot_ros.episodes.selection import EVERYTHING, Selection
from tiltbot_ros.errors import EpisodeError, RecordingError

METADATA = "metadata.yaml"

_GENERATED = ".generate"
_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP}


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """An episode that was taken.

    Attributes:
        source: where it was.
        path: where it is now.
    """

    source: Path
    path: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Duplicate:
    """An episode that was left where it was, because the folder has its bag already.

    Attributes:
        source: where it is.
        of: the same in the folder.
        again: it is there because an earlier merge took it from this very place.
    """

    source: Path
    of: Path
    again: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """An episode that cannot be taken.

    Attributes:
        source: where it is.
        reason: why, in words.
    """

    source: Path
    reason: str


Outcome = Merged | Duplicate | Refused

_Key = tuple[int, int, int]


def merge(
    sources: Sequence[Path],
    out: Path,
    *,
    selection: Selection = EVERYTHING,
    copy: bool = False,
    dry: bool = False,
    tell: Callable[[Outcome], None] = lambda _: None,
) -> None:
    """Take the episodes of data folders into another one, under new numbers.

    Sources stay as they are. Each episode appears whole or not at all, as when
    it is recorded; started again after a kill, the rest is taken. Bags are
    linked where the file system can (a bag is never changed, so both folders
    may have it), otherwise copied. Where an episode came from stands in its
    facts. A bag that the folder has already, in its trash too, is not taken
    twice.

    Args:
        sources: data folders.
        out: data folder that takes them; made where there is none.
        selection: which of the episodes.
        copy: copy bags, do not link them.
        dry: only tell; a folder that is not there is not made.
        tell: told what became of each episode.

    Raises:
        EpisodeError: a source is no folder.
        RecordingError: somebody else writes to `out`, or it is a source, or
            it was generated, or an episode cannot be written there.
    """
    whole = out.resolve()
    for source in sources:
        if not source.is_dir():
            raise EpisodeError(f"{source}: expected a folder of episodes, found none")
        if source.resolve() == whole:
            raise RecordingError(f"{out}: expected another folder than the sources")
    if (out / _GENERATED).exists():
        raise RecordingError(
            f"{out}: expected a folder of its own, got one that `generate` fills: its numbers "
            "are planned"
        )
    entries = (
        (source, entry) for source in sources for entry in selection.of(each_episode(source))
    )
    if dry:
        known = _known(out) if out.is_dir() else {}
        for source, entry in entries:
            tell(_told(source, entry, known))
        return
    folder = DataFolder(out)
    try:
        _merge(folder, entries, copy=copy, tell=tell)
    finally:
        folder.close()


def _merge(
    folder: DataFolder,
    entries: Iterable[tuple[Path, Listed]],
    *,
    copy: bool,
    tell: Callable[[Outcome], None],
) -> None:
    known = _known(folder.path)
    for source, entry in entries:
        outcome = _told(source, entry, known)
        if isinstance(outcome, Merged) and entry.facts is not None:
            path = _take(folder, entry, entry.facts, _origin(source, entry), copy=copy)
            known[_key(entry.facts)] = (path, _origin(source, entry))
            outcome = Merged(source=entry.path, path=path)
        tell(outcome)


def _told(source: Path, entry: Listed, known: dict[_Key, tuple[Path, Origin | None]]) -> Outcome:
    """Return what becomes of an episode; `known` learns of one that would be taken."""
    facts = entry.facts
    if facts is None:
        return Refused(source=entry.path, reason=entry.problem)
    bag = bag_file(entry.path)
    size = bag.stat().st_size if bag.is_file() else 0
    if size != facts.bag_bytes or not (entry.path / METADATA).is_file():
        return Refused(
            source=entry.path,
            reason=f"{bag}: expected {facts.bag_bytes} bytes and a {METADATA}, found {size}: "
            "`tiltbot episodes check` tells more",
        )
    found, origin = known.get(_key(facts)), _origin(source, entry)
    if found is None:
        known[_key(facts)] = (entry.path, origin)
        return Merged(source=entry.path, path=entry.path)
    return Duplicate(source=entry.path, of=found[0], again=found[1] == origin)


def _take(
    folder: DataFolder, entry: Listed, facts: EpisodeFacts, origin: Origin, *, copy: bool
) -> Path:
    path = entry.path
    episode_id = folder.take_number()
    place = folder.partial(episode_id)
    try:
        place.mkdir(parents=True)
        for file in _files(path):
            name = file.name.replace(path.name, episode_id)
            if file.name == METADATA:
                (place / name).write_bytes(_renamed(file.read_bytes(), path.name, episode_id))
                sync_file(place / name)
            else:
                _link(file, place / name, copy=copy)
        changed = replace(facts, id=episode_id, origin=origin)
        write_durably(place / FACTS_FILE, changed.to_json())
        sync_directory(place.parent)
        return folder.finish(episode_id)
    except OSError as error:
        folder.abandon(episode_id)
        raise RecordingError(
            f"{folder.path}: {path} cannot be taken: {error.strerror}: what was taken before is "
            "kept, the same command goes on"
        ) from error
    except BaseException:
        folder.abandon(episode_id)
        raise


def _files(path: Path) -> Iterator[Path]:
    """Yield the files of an episode's directory but its facts."""
    for file in sorted(path.iterdir()):
        if file.is_file() and not file.is_symlink() and file.name != FACTS_FILE:
            yield file


def _link(file: Path, target: Path, *, copy: bool) -> None:
    if not copy:
        try:
            os.link(file, target)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
        else:
            return
    shutil.copyfile(file, target)
    sync_file(target)


def _renamed(metadata: bytes, old: str, new: str) -> bytes:
    """Return a bag's metadata with its file's new name; nothing else is touched."""
    line = re.compile(rf"^(\s*(?:- |path: )+){re.escape(old)}\.mcap\s*$".encode(), re.MULTILINE)
    return line.sub(rf"\g<1>{new}.mcap".encode(), metadata)


def _origin(source: Path, entry: Listed) -> Origin:
    """Return where an episode was first."""
    earlier = entry.facts.origin if entry.facts is not None else None
    return earlier or Origin(folder=str(source.resolve()), id=entry.path.name)


def _key(facts: EpisodeFacts) -> _Key:
    return facts.bag_crc32, facts.bag_bytes, facts.contact.stamp_ns


def _known(out: Path) -> dict[_Key, tuple[Path, Origin | None]]:
    """Return the episodes that a folder has, those in its trash included."""
    return {
        _key(entry.facts): (entry.path, entry.facts.origin)
        for trashed in (True, False)
        for entry in each_episode(out, trashed=trashed)
        if entry.facts is not None
    }
