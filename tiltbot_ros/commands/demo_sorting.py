"""`demo list`, `show`, `label`, `discard` and `restore`: look at and sort demonstrations."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro

from tiltbot_ros.commands.arguments import TEXT, Flag, Json, Labels, given, pair
from tiltbot_ros.commands.output import Column, print_json, print_listing, screen
from tiltbot_ros.demonstrations import catalogue
from tiltbot_ros.demonstrations.catalogue import Listed, demonstrations
from tiltbot_ros.demonstrations.facts import DEMONSTRATIONS
from tiltbot_ros.episodes.folder import TRASH
from tiltbot_ros.errors import EpisodeError

Folder = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
One = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DEMONSTRATION")]
Some = Annotated[
    tuple[Path, ...],
    tyro.conf.Positional,
    tyro.conf.arg(metavar="DEMONSTRATION...", help_behavior_hint="(required)"),
]

_FLAGGED = "33"
_UNREADABLE = "31"


def demonstration_at(path: Path) -> Path:
    """Return the demonstration at a path, or the last one of the folder there.

    Raises:
        EpisodeError: there is none.
    """
    path = path.expanduser()
    if DEMONSTRATIONS.is_finished(path.resolve().name):
        if not path.is_dir():
            raise EpisodeError(f"{path}: expected a demonstration, found none")
        return path
    found = [entry.path for entry in demonstrations(path)]
    if not found:
        raise EpisodeError(f"{path}: expected a folder with demonstrations, found none in it")
    return found[-1]


def split(path: Path) -> tuple[Path, str]:
    """Return the folder and the id that the path of a demonstration means."""
    whole = path.expanduser().resolve()
    if not DEMONSTRATIONS.is_finished(whole.name):
        raise EpisodeError(
            f"expected the path of a demonstration, such as demos/demo_000001, got '{path}'"
        )
    return whole.parent, whole.name


@dataclass(frozen=True, kw_only=True)
class List:
    """List a folder of demonstrations: task, length, steps, outcome, verdict."""

    folder: Folder = Path("demos")
    """folder with demonstrations"""
    trash: Flag = False
    """those that were discarded instead"""
    as_json: Json = False

    def run(self) -> int:
        """Print the listing."""
        folder = self.folder.expanduser()
        if self.trash:
            folder = folder / TRASH
        entries = list(demonstrations(folder)) if folder.is_dir() or not self.trash else []
        if self.as_json:
            print_json([_json(entry) for entry in entries])
            return 0
        columns = [
            Column(title="id"),
            Column(title="begun (UTC)"),
            Column(title="length", align=">"),
            Column(title="steps", align=">"),
            Column(title="MB", align=">"),
            Column(title="outcome"),
            Column(title="task"),
            Column(title="verdict"),
        ]
        styles = {
            number: _UNREADABLE if entry.facts is None else _FLAGGED
            for number, entry in enumerate(entries)
            if entry.facts is None or not entry.facts.verdict.clean
        }
        print_listing(columns, [_row(entry) for entry in entries], styles)
        return 0


@dataclass(frozen=True, kw_only=True)
class Show:
    """Tell what is known of a demonstration: motion, rows, checks."""

    where: One
    """a demonstration, or a folder, which means its last one"""
    as_json: Json = False

    def run(self) -> int:
        """Print it; 1 when its bag cannot be read."""
        from tiltbot_ros.demonstrations.steps import read_demonstration  # noqa: PLC0415 - slow

        read = read_demonstration(demonstration_at(self.where))
        facts, steps, track = read.facts, read.steps, read.track
        way_m = float(np.linalg.norm(np.diff(track.poses[:, :3], axis=0), axis=1).sum())
        moving = float(np.mean(np.abs(steps.deltas).sum(axis=1) > 0.0))
        period_s = np.diff(steps.stamps_ns) * 1e-9
        if self.as_json:
            print_json({"facts": facts, "way_m": way_m, "moving": moving})
            return 0
        console = screen()
        lines = [
            f"{facts.id}  {facts.outcome or 'no outcome'}  {facts.task or 'no task'}",
            f"begun {_when(facts.start_ns)} UTC, {facts.duration_s:.2f} s, ended by {facts.ending}",
            f"{facts.messages} messages, {facts.bag_bytes / 1e6:.1f} MB",
            (
                f"{len(steps)} steps of '{facts.commander}' at {facts.rate_hz:g} Hz, "
                f"{moving:.0%} of them moving"
            ),
            f"time between steps {1e3 * float(np.median(period_s)):.1f} ms (median), "
            f"{1e3 * float(period_s.max()):.1f} ms (longest)"
            if len(period_s)
            else "one step",
            (
                f"the tool went {way_m:.3f} m, and ended "
                f"{float(np.linalg.norm(track.poses[-1, :3] - track.poses[0, :3])):.3f} m from its "
                f"start"
            ),
            *(f"label {name}: {value}" for name, value in facts.labels.items()),
            "clean" if facts.verdict.clean else "flagged:",
            *(f"  {problem}" for problem in facts.verdict.problems),
        ]
        for line in lines:
            console.print(line, markup=False)
        return 0


@dataclass(frozen=True, kw_only=True)
class Label:
    """Say how a demonstration went, and what it shows."""

    demonstrations: Some
    """paths of demonstrations; - reads them from standard input"""
    outcome: Literal["success", "failure", "none"] | None = None
    """how it went"""
    task: Annotated[str | None, TEXT] = None
    """what it shows"""
    label: Labels = ()
    """a label of your own; repeat it for more than one"""

    def run(self) -> int:
        """Write it."""
        outcome = "" if self.outcome == "none" else self.outcome
        labels = dict(map(pair, self.label))
        for path in given(self.demonstrations):
            folder, name = split(path)
            facts = catalogue.label(folder, name, outcome=outcome, task=self.task, labels=labels)
            screen().print(f"{name}: {facts.outcome or 'no outcome'}", markup=False)
        return 0


@dataclass(frozen=True, kw_only=True)
class Discard:
    """Move demonstrations to the trash of their folder; `restore` brings them back."""

    demonstrations: Some
    """paths of demonstrations; - reads them from standard input"""

    def run(self) -> int:
        """Move them."""
        for path in given(self.demonstrations):
            folder, name = split(path)
            screen().print(f"{name}: moved to {catalogue.discard(folder, name)}", markup=False)
        return 0


@dataclass(frozen=True, kw_only=True)
class Restore:
    """Bring discarded demonstrations back from the trash."""

    demonstrations: Some
    """paths of demonstrations as they were, or as they are in the trash"""

    def run(self) -> int:
        """Move them back."""
        for path in given(self.demonstrations):
            folder, name = split(path)
            folder = folder.parent if folder.name == TRASH else folder
            screen().print(
                f"{name}: back in {catalogue.restore(folder, name).parent}", markup=False
            )
        return 0


def _json(entry: Listed) -> dict[str, object]:
    return {"path": entry.path.resolve(), "facts": entry.facts, "problem": entry.problem}


def _row(entry: Listed) -> list[str]:
    facts = entry.facts
    if facts is None:
        return [entry.path.name, "", "", "", "", "", "", entry.problem]
    problems = facts.verdict.problems
    more = f" (+{len(problems) - 1})" if len(problems) > 1 else ""
    return [
        facts.id,
        _when(facts.start_ns),
        f"{facts.duration_s:.1f} s",
        str(facts.steps),
        f"{facts.bag_bytes / 1e6:.1f}",
        facts.outcome or "-",
        facts.task or "-",
        "clean" if facts.verdict.clean else f"{problems[0]}{more}",
    ]


def _when(stamp_ns: int) -> str:
    return datetime.fromtimestamp(stamp_ns * 1e-9, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
