"""Which episodes are exported."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tiltbot_ros.episodes.catalogue import list_episodes
from tiltbot_ros.episodes.facts import EpisodeFacts
from tiltbot_ros.errors import FormatError


@dataclass(frozen=True, kw_only=True, slots=True)
class Selected:
    """An episode to export.

    Attributes:
        path: its directory.
        facts: what is known of it alone.
    """

    path: Path
    facts: EpisodeFacts

    @property
    def key(self) -> str:
        """What tells whether it is the same episode as before."""
        return f"{self.path} {self.facts.bag_bytes} {self.facts.bag_crc32:08x}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """The episodes of an export, in order.

    Attributes:
        episodes: those to export.
        unreadable: those whose facts cannot be read, and why.
    """

    episodes: tuple[Selected, ...]
    unreadable: tuple[str, ...]


def select_episodes(
    folders: Sequence[Path],
    *,
    objects: Sequence[str] = (),
    outcome: str = "",
    flagged: bool = False,
) -> Selection:
    """Choose among the episodes of data folders.

    Args:
        folders: data folders, or single episodes.
        objects: only of these; none: of all.
        outcome: only with this outcome; empty: with any.
        flagged: also those that the verdict holds something against and nobody kept.

    Raises:
        EpisodeError: a folder does not exist.
        FormatError: none is left.
    """
    found: list[Selected] = []
    unreadable: list[str] = []
    for given in folders:
        folder = given.expanduser().resolve()
        if (folder / "episode.json").is_file():
            found.append(Selected(path=folder, facts=EpisodeFacts.read(folder)))
            continue
        for entry in list_episodes(folder):
            if entry.facts is None:
                unreadable.append(entry.problem)
            else:
                found.append(Selected(path=entry.path, facts=entry.facts))
    chosen = tuple(
        episode
        for episode in found
        if (not objects or episode.facts.object in objects)
        and (not outcome or episode.facts.outcome == outcome)
        and (flagged or episode.facts.verdict.clean or episode.facts.kept)
    )
    if not chosen:
        names = sorted({episode.facts.object or "(no name)" for episode in found})
        raise FormatError(
            f"expected episodes to export in {', '.join(map(str, folders))}, found none of "
            f"{len(found)} that fit: objects {', '.join(names) or 'none'}; flagged ones are taken "
            "with --flagged only"
        )
    return Selection(episodes=chosen, unreadable=tuple(unreadable))
