"""The table of a report: an episode a row, made from episode.json alone."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tiltbot_ros.episodes.catalogue import Listed
from tiltbot_ros.episodes.facts import EpisodeFacts

VerdictName = Literal["clean", "flagged", "unreadable"]

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """An episode as the report tells it.

    Attributes:
        id: of the episode.
        verdict: of the recorder.
        object: what was in the tray; empty: not named.
        problems: what the verdict holds against it, or why it cannot be read.
        kinds: these problems without their particulars, to count them by.
        contact_ns: time of the contact [ns]; None and below: not readable.
        level: of the contact, 1 is digital full scale.
        channel: loudest microphone.
        action: (ax, ay) in [-1, 1]; None: not known.
        contacts: heard in its window, at least 1.
        seconds: length of its window [s].
        bytes: of the bag.
        outcome, labels, kept: what people said of it.
    """

    id: str
    verdict: VerdictName
    object: str = ""
    problems: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    contact_ns: int | None = None
    level: float | None = None
    channel: int | None = None
    action: tuple[float, float] | None = None
    contacts: int | None = None
    seconds: float | None = None
    bytes: int | None = None
    outcome: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    kept: bool = False


def row_of(listed: Listed) -> Row:
    """Return the row of an entry of the catalogue."""
    facts = listed.facts
    if facts is None:
        return Row(
            id=listed.path.name,
            verdict="unreadable",
            problems=(_without_folder(listed),),
            kinds=("unreadable",),
        )
    return Row(
        id=listed.path.name,
        verdict="clean" if facts.verdict.clean else "flagged",
        object=facts.object,
        problems=facts.verdict.problems,
        kinds=_kinds(facts),
        contact_ns=facts.contact.stamp_ns,
        level=facts.contact.level,
        channel=facts.contact.channel,
        action=None if facts.tilt is None else (facts.tilt.ax, facts.tilt.ay),
        contacts=1 + facts.suppressed,
        seconds=(facts.end_ns - facts.start_ns) / 1e9,
        bytes=facts.bag_bytes,
        outcome=facts.outcome,
        labels=tuple(facts.labels.items()),
        kept=facts.kept,
    )


def choose(rows: Sequence[Row], places: Iterable[int], count: int) -> tuple[int, ...]:
    """Return which episodes of an object are shown with pictures and sound.

    A quarter of the room goes to flagged episodes, should there be so many;
    each kind is spread evenly over the collection.

    Args:
        rows: of all episodes.
        places: indices of this object's.
        count: how many at most.

    Returns:
        Indices, ascending.
    """
    readable = [place for place in places if rows[place].verdict != "unreadable"]
    clean = [place for place in readable if rows[place].verdict == "clean"]
    flagged = [place for place in readable if rows[place].verdict == "flagged"]
    share = max(count // 4, count - len(clean))
    chosen = _spread(flagged, min(share, len(flagged)))
    chosen += _spread(clean, min(count - len(chosen), len(clean)))
    return tuple(sorted(chosen))


def _spread(places: Sequence[int], count: int) -> list[int]:
    if count >= len(places):
        return list(places)
    return [places[(2 * k + 1) * len(places) // (2 * count)] for k in range(count)]


def _kinds(facts: EpisodeFacts) -> tuple[str, ...]:
    failed = [check for check in facts.verdict.checks if not check.ok]
    if failed:
        return tuple(dict.fromkeys(f"{check.name} {check.topic}".strip() for check in failed))
    return tuple(dict.fromkeys(_DIGITS.sub("…", problem) for problem in facts.verdict.problems))


def _without_folder(listed: Listed) -> str:
    return listed.problem.replace(f"{listed.path.parent}/", "")
