"""The options that choose among the episodes of a folder."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from tiltbot_ros.commands.arguments import NAME, TEXT, Flag
from tiltbot_ros.commands.usage import UsageError
from tiltbot_ros.episodes.selection import Condition, Selection

_Times = Annotated[str | None, tyro.conf.arg(metavar="TIME", help_behavior_hint="")]
_Level = Annotated[float | None, tyro.conf.arg(metavar="DBFS", help_behavior_hint="")]
_Size = Annotated[float | None, tyro.conf.arg(metavar="0..1", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Which:
    """What the episodes must be like; together they narrow the choice."""

    object: tyro.conf.UseAppendAction[Annotated[tuple[str, ...], NAME]] = ()
    """of this object; repeat it for more than one; '' for those without a name"""
    set: Annotated[
        Literal["A", "B"] | None, tyro.conf.arg(metavar="{A,B}", help_behavior_hint="")
    ] = None
    """of the objects of this set (config/objects.yaml)"""
    clean: Flag = False
    """only clean ones"""
    flagged: Flag = False
    """only those that the verdict holds something against"""
    unreadable: Flag = False
    """only those whose facts cannot be read"""
    problem: Annotated[str, TEXT] = ""
    """held against them: a part of the text, or the name of a check such as continuity"""
    outcome: Annotated[str | None, TEXT] = None
    """of this outcome; '' for those without one"""
    label: tyro.conf.UseAppendAction[
        Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME[=VALUE]", help_behavior_hint="")]
    ] = ()
    """with this label; may be repeated"""
    kept: Flag = False
    """only those marked as wanted"""
    since: _Times = None
    """contact at or after this local time, such as 2026-01-31 or 2026-01-31T18:30"""
    until: _Times = None
    """contact before this local time; a day means its end"""
    min_level: _Level = None
    """contact at least so loud, such as -20 [dB of full scale]"""
    max_level: _Level = None
    """contact at most so loud [dB of full scale]"""
    min_tilt: _Size = None
    """tilted at least so far; 1 is the greatest tilt"""
    max_tilt: _Size = None
    """tilted at most so far"""

    def selection(self) -> Selection:
        """Return the choice.

        Raises:
            UsageError: the options do not go together, or a time is none.
        """
        return Selection(
            objects=self._objects(),
            condition=self._condition(),
            problem=self.problem,
            outcome=self.outcome,
            labels=tuple(_label(text) for text in self.label),
            kept=True if self.kept else None,
            since_ns=None if self.since is None else _time_ns(self.since, end=False),
            until_ns=None if self.until is None else _time_ns(self.until, end=True),
            least_level=None if self.min_level is None else 10 ** (self.min_level / 20),
            most_level=None if self.max_level is None else 10 ** (self.max_level / 20),
            least_tilt=self.min_tilt,
            most_tilt=self.max_tilt,
        )

    def _condition(self) -> Condition:
        conditions: dict[Condition, bool] = {
            "clean": self.clean,
            "flagged": self.flagged,
            "unreadable": self.unreadable,
        }
        asked = [name for name, wanted in conditions.items() if wanted]
        if len(asked) > 1:
            told = " and ".join(f"--{name}" for name in asked)
            raise UsageError(f"expected one of --clean, --flagged and --unreadable, got {told}")
        return asked[0] if asked else ""

    def _objects(self) -> tuple[str, ...] | None:
        if self.set is None:
            return self.object or None
        # Reading the catalogue takes as long as listing thousands of episodes.
        from tiltbot_ros.worlds.objects import ObjectCatalogue  # noqa: PLC0415

        members = tuple(spec.name for spec in ObjectCatalogue.load().sets[self.set])
        return tuple(name for name in members if not self.object or name in self.object)


def _label(text: str) -> tuple[str, str | None]:
    name, separator, value = text.partition("=")
    if not name:
        raise UsageError(f"expected a label as NAME or NAME=VALUE, got '{text}'")
    return name, value if separator else None


def _time_ns(text: str, *, end: bool) -> int:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"expected a time such as 2026-01-31 or 2026-01-31T18:30, got '{text}'"
        ) from error
    if end and len(text) == len("2026-01-31"):
        moment += dt.timedelta(days=1)
    return int(moment.timestamp() * 1e6) * 1000
