"""The episodes of a data folder: list, keep, discard, restore, relabel.

Only `episode.json` is read, never a bag; every change is atomic, so that it
can be made while a recorder writes to the same folder.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tiltbot_ros.episodes.facts import FACTS_FILE, EpisodeFacts
from tiltbot_ros.episodes.folder import TRASH, is_episode_name, write_durably
from tiltbot_ros.episodes.trash import from_trash, to_trash
from tiltbot_ros.episodes.verdict import renamed
from tiltbot_ros.errors import EpisodeError


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """An entry of the catalogue.

    Attributes:
        path: directory of the episode.
        facts: its late facts; None when they cannot be read.
        problem: why not; empty otherwise.
    """

    path: Path
    facts: EpisodeFacts | None
    problem: str = ""


def each_episode(folder: Path, *, trashed: bool = False) -> Iterator[Listed]:
    """Yield the episodes of a folder, or of its trash, by id; unreadable ones, too.

    One after another, so that thousands need no more memory than one.

    Raises:
        EpisodeError: there is no such folder.
    """
    if not folder.is_dir():
        raise EpisodeError(f"{folder}: expected a folder of episodes, found none")
    place = folder / TRASH if trashed else folder
    if not place.is_dir():
        return
    with os.scandir(place) as entries:
        names = [entry.name for entry in entries if is_episode_name(entry.name) and entry.is_dir()]
    for name in sorted(names, key=lambda name: int(name.removeprefix("ep_"))):
        yield listed(place / name)


def list_episodes(folder: Path, *, trashed: bool = False) -> list[Listed]:
    """Return what `each_episode` yields.

    Raises:
        EpisodeError: there is no such folder.
    """
    return list(each_episode(folder, trashed=trashed))


def keep(folder: Path, episode_id: str) -> EpisodeFacts:
    """Mark an episode as wanted.

    Raises:
        EpisodeError: there is no such episode.
    """
    path = _existing(folder, episode_id)
    return _rewrite(path, replace(EpisodeFacts.read(path), kept=True))


def relabel(
    folder: Path,
    episode_id: str,
    *,
    object_name: str = "",
    outcome: str = "",
    labels: Mapping[str, str] | None = None,
    dry: bool = False,
) -> EpisodeFacts:
    """Give an episode another object, outcome or labels; what is empty stays as it was.

    A name given to an episode without one also lifts that flag of its verdict.
    Nothing is written where nothing changes.

    Args:
        folder: data folder.
        episode_id: of the episode.
        object_name: what was in the tray.
        outcome: what came of it.
        labels: added to those it has.
        dry: only return what it would be.

    Raises:
        EpisodeError: there is no such episode.
    """
    path = _existing(folder, episode_id)
    facts = EpisodeFacts.read(path)
    changed = replace(
        facts,
        object=object_name or facts.object,
        outcome=outcome or facts.outcome,
        labels={**facts.labels, **(labels or {})},
        verdict=renamed(facts.verdict, object_name) if object_name else facts.verdict,
    )
    return changed if dry or changed == facts else _rewrite(path, changed)


def discard(folder: Path, episode_id: str) -> Path:
    """Move an episode to the trash; its number is not given out again.

    Raises:
        EpisodeError: there is no such episode.
    """
    return to_trash(_existing(folder, episode_id))


def restore(folder: Path, episode_id: str) -> Path:
    """Move an episode back from the trash.

    Raises:
        EpisodeError: there is no such episode in the trash.
    """
    return from_trash(_existing(folder / TRASH, episode_id))


def listed(path: Path) -> Listed:
    """Return the entry of an episode's directory."""
    try:
        return Listed(path=path, facts=EpisodeFacts.read(path))
    except EpisodeError as error:
        return Listed(path=path, facts=None, problem=str(error))


def _existing(folder: Path, episode_id: str) -> Path:
    path = folder / episode_id
    if not is_episode_name(episode_id) or not (path / FACTS_FILE).is_file():
        raise EpisodeError(
            f"expected the id of an episode in {folder}, such as ep_000042, got {episode_id!r}"
        )
    return path


def _rewrite(path: Path, facts: EpisodeFacts) -> EpisodeFacts:
    write_durably(path / FACTS_FILE, facts.to_json())
    return facts
