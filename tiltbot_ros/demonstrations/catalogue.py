"""The demonstrations of a folder: list, discard, restore, label. No bag is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tiltbot_ros.demonstrations.facts import (
    DEMONSTRATIONS,
    FACTS_FILE,
    DemonstrationFacts,
    Outcome,
)
from tiltbot_ros.episodes.folder import TRASH, write_durably
from tiltbot_ros.episodes.trash import from_trash, to_trash
from tiltbot_ros.errors import EpisodeError


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """An entry of a folder.

    Attributes:
        path: directory of the demonstration.
        facts: its late facts; None when they cannot be read.
        problem: why not; empty otherwise.
    """

    path: Path
    facts: DemonstrationFacts | None
    problem: str = ""


def demonstrations(folder: Path) -> Iterator[Listed]:
    """Yield the finished demonstrations of a folder by number; those in the trash are not.

    Raises:
        EpisodeError: there is no such folder.
    """
    if not folder.is_dir():
        raise EpisodeError(f"expected a folder of demonstrations, but {folder} is none")
    for path in sorted(folder.iterdir()):
        if DEMONSTRATIONS.is_finished(path.name) and path.is_dir():
            yield listed(path)


def listed(path: Path) -> Listed:
    """Return the entry of a demonstration's directory."""
    try:
        return Listed(path=path, facts=DemonstrationFacts.read(path))
    except EpisodeError as error:
        return Listed(path=path, facts=None, problem=str(error))


def discard(folder: Path, name: str) -> Path:
    """Move a demonstration to the trash; its number is not given out again.

    Raises:
        EpisodeError: there is no such demonstration.
    """
    return to_trash(_existing(folder, name))


def restore(folder: Path, name: str) -> Path:
    """Move a demonstration back from the trash.

    Raises:
        EpisodeError: there is no such demonstration in the trash.
    """
    return from_trash(_existing(folder / TRASH, name))


def label(
    folder: Path,
    name: str,
    *,
    outcome: Outcome | None = None,
    task: str | None = None,
    labels: Mapping[str, str] | None = None,
) -> DemonstrationFacts:
    """Change what is said of a demonstration; None leaves it.

    Raises:
        EpisodeError: there is no such demonstration.
    """
    path = _existing(folder, name)
    facts = DemonstrationFacts.read(path)
    changed = replace(
        facts,
        outcome=facts.outcome if outcome is None else outcome,
        task=facts.task if task is None else task,
        labels={**facts.labels, **(labels or {})},
        kept=True,
    )
    write_durably(path / FACTS_FILE, changed.to_json())
    return changed


def _existing(folder: Path, name: str) -> Path:
    path = folder / name
    if not (DEMONSTRATIONS.is_finished(name) and path.is_dir()):
        raise EpisodeError(f"expected a demonstration such as demo_000001 in {folder}, got {name}")
    return path
