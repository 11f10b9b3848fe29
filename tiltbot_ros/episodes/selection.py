"""Which episodes of a data folder are meant."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from tiltbot_ros.episodes.catalogue import Listed
from tiltbot_ros.episodes.facts import EpisodeFacts

Condition = Literal["", "clean", "flagged", "unreadable"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What an episode must be like; what is left at its default fits all.

    An episode whose facts cannot be read fits only where nothing is asked of
    facts.

    Attributes:
        objects: it is one of these; empty text: not named; None: any.
        condition: `clean`, `flagged` or `unreadable`; empty: any.
        problem: a part of a problem's text, or the name of a check that failed.
        outcome: exactly this; empty text: without one; None: any.
        labels: it has all of these; value None: any value.
        kept: somebody wants it, or not; None: either.
        since_ns, until_ns: time of the contact, from .. before [ns].
        least_level, most_level: of the contact, 1 is digital full scale.
        least_tilt, most_tilt: size of the action, 1 is the greatest.
    """

    objects: tuple[str, ...] | None = None
    condition: Condition = ""
    problem: str = ""
    outcome: str | None = None
    labels: tuple[tuple[str, str | None], ...] = ()
    kept: bool | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    least_level: float | None = None
    most_level: float | None = None
    least_tilt: float | None = None
    most_tilt: float | None = None

    def fits(self, entry: Listed) -> bool:
        """Say whether an entry of the catalogue is meant."""
        if self.condition and self.condition != _condition(entry):
            return False
        facts = entry.facts
        if facts is None:
            return self in (Selection(), Selection(condition="unreadable"))
        return (
            (self.objects is None or facts.object in self.objects)
            and (not self.problem or _has_problem(facts, self.problem))
            and (self.outcome is None or facts.outcome == self.outcome)
            and all(
                name in facts.labels and value in (None, facts.labels[name])
                for name, value in self.labels
            )
            and (self.kept is None or facts.kept == self.kept)
            and _within(facts.contact.stamp_ns, self.since_ns, self.until_ns, open_end=True)
            and _within(facts.contact.level, self.least_level, self.most_level)
            and _within(_tilt(facts), self.least_tilt, self.most_tilt)
        )

    def of(self, entries: Iterable[Listed]) -> Iterator[Listed]:
        """Yield the entries that are meant."""
        return filter(self.fits, entries)


def _condition(entry: Listed) -> Condition:
    if entry.facts is None:
        return "unreadable"
    return "clean" if entry.facts.verdict.clean else "flagged"


def _has_problem(facts: EpisodeFacts, problem: str) -> bool:
    return any(problem in text for text in facts.verdict.problems) or any(
        check.name == problem and not check.ok for check in facts.verdict.checks
    )


def _tilt(facts: EpisodeFacts) -> float | None:
    return None if facts.tilt is None else math.hypot(facts.tilt.ax, facts.tilt.ay)


def _within(
    value: float | None, least: float | None, most: float | None, *, open_end: bool = False
) -> bool:
    if value is None:
        return least is None and most is None
    if least is not None and value < least:
        return False
    return most is None or value < most or (value == most and not open_end)


EVERYTHING = Selection()
