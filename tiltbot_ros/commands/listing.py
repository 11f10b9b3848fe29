"""`episodes ls`: what is in a data folder."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tiltbot_ros.commands.output import Column, print_json, print_listing, screen
from tiltbot_ros.episodes.catalogue import Listed, each_episode
from tiltbot_ros.episodes.facts import TiltAction
from tiltbot_ros.wording import counted, local_time, size

_COLUMNS = (
    Column(title="ID"),
    Column(title="OBJECT"),
    Column(title="CONTACT AT"),
    Column(title="LEVEL", align=">"),
    Column(title="TILT X, Y", align=">"),
    Column(title="SIZE", align=">"),
    Column(title="VERDICT"),
)
_YELLOW, _RED = "33", "31"


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedEpisode:
    """A line of the listing, as `--json` has it.

    Attributes:
        id: of the episode.
        path: its directory.
        readable: false: `episode.json` cannot be read, and all else is null.
        problems: what the verdict holds against it, or why it cannot be read.
        clean: the recorder's verdict.
        kept: somebody marked it as wanted.
        object: what was in the tray; empty: not named.
        outcome: set by `relabel`.
        labels: the lab's own.
        contact_ns: time of the contact [ns].
        channel: loudest microphone.
        level: of the contact, 1 is digital full scale.
        suppressed: contacts that had no window because of this one.
        tilt: the action; null: not known.
        start_ns, end_ns: the window [ns].
        messages: in the bag.
        bytes: of the bag.
    """

    id: str
    path: Path
    readable: bool
    problems: tuple[str, ...]
    clean: bool | None = None
    kept: bool | None = None
    object: str | None = None
    outcome: str | None = None
    labels: dict[str, str] | None = None
    contact_ns: int | None = None
    channel: int | None = None
    level: float | None = None
    suppressed: int | None = None
    tilt: TiltAction | None = None
    start_ns: int | None = None
    end_ns: int | None = None
    messages: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectTotal:
    """All episodes of one object."""

    object: str
    episodes: int
    clean: int
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """What `episodes ls --json` prints."""

    folder: Path
    episodes: tuple[ListedEpisode, ...]
    objects: tuple[ObjectTotal, ...]


def list_folder(
    folder: Path, *, object_name: str | None, clean: bool | None, trashed: bool, as_json: bool
) -> int:
    """Print the episodes of a folder; return the exit status.

    Args:
        folder: the data folder.
        object_name: only those of this object; None: all; empty: without a name.
        clean: only clean (True) or only flagged (False) ones; unreadable ones
            count as flagged.
        trashed: those in the trash instead.
        as_json: for scripts.

    Raises:
        EpisodeError: there is no such folder.
    """
    folder = folder.expanduser()
    episodes: list[ListedEpisode] = []
    rows: list[list[str]] = []
    styles: dict[int, str] = {}
    totals = _Totals()
    # One after another: what thousands of episodes would take in memory slows Python down.
    for entry in each_episode(folder, trashed=trashed):
        if not _fits(entry, object_name=object_name, clean=clean):
            continue
        totals.add(entry)
        if as_json:
            episodes.append(for_scripts(entry))
            continue
        if entry.facts is None or not entry.facts.verdict.clean:
            styles[len(rows)] = _RED if entry.facts is None else _YELLOW
        rows.append(_for_people(entry))
    if as_json:
        print_json(
            Listing(folder=folder.resolve(), episodes=tuple(episodes), objects=totals.by_object())
        )
    elif not rows:
        place = "the trash of " if trashed else ""
        only = "" if object_name is None and clean is None else " that fit"
        screen().print(f"no episodes{only} in {place}{folder}", markup=False)
    else:
        print_listing(_COLUMNS, rows, styles)
        _print_totals(totals.by_object(), unreadable=totals.unreadable)
    return 0


class _Totals:
    def __init__(self) -> None:
        self.unreadable = 0
        self._count: Counter[str] = Counter()
        self._clean: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    def add(self, entry: Listed) -> None:
        facts = entry.facts
        if facts is None:
            self.unreadable += 1
            return
        self._count[facts.object] += 1
        self._clean[facts.object] += facts.verdict.clean
        self._bytes[facts.object] += facts.bag_bytes

    def by_object(self) -> tuple[ObjectTotal, ...]:
        return tuple(
            ObjectTotal(
                object=name,
                episodes=self._count[name],
                clean=self._clean[name],
                bytes=self._bytes[name],
            )
            for name in sorted(self._count)
        )


def _fits(entry: Listed, *, object_name: str | None, clean: bool | None) -> bool:
    if entry.facts is None:
        return object_name is None and clean is not True
    return (object_name is None or entry.facts.object == object_name) and (
        clean is None or entry.facts.verdict.clean == clean
    )


def _for_people(entry: Listed) -> list[str]:
    facts = entry.facts
    if facts is None:
        return [entry.path.name, "-", "-", "-", "-", "-", f"unreadable: {_one_line(entry.problem)}"]
    tilt = f"{facts.tilt.ax:+.2f}, {facts.tilt.ay:+.2f}" if facts.tilt else "-"
    verdict = "clean" if facts.verdict.clean else f"flagged: {_short(facts.verdict.problems)}"
    return [
        facts.id,
        facts.object or "-",
        local_time(facts.contact.stamp_ns),
        f"{facts.contact.level:.3f}",
        tilt,
        size(facts.bag_bytes),
        verdict
        + (", kept" if facts.kept else "")
        + (f", {facts.outcome}" if facts.outcome else ""),
    ]


def for_scripts(entry: Listed) -> ListedEpisode:
    """Return an entry of the catalogue as `--json` has it."""
    facts = entry.facts
    if facts is None:
        return ListedEpisode(
            id=entry.path.name,
            path=entry.path.resolve(),
            readable=False,
            problems=(entry.problem,),
        )
    return ListedEpisode(
        id=facts.id,
        path=entry.path.resolve(),
        readable=True,
        problems=facts.verdict.problems,
        clean=facts.verdict.clean,
        kept=facts.kept,
        object=facts.object,
        outcome=facts.outcome,
        labels=facts.labels,
        contact_ns=facts.contact.stamp_ns,
        channel=facts.contact.channel,
        level=facts.contact.level,
        suppressed=facts.suppressed,
        tilt=facts.tilt,
        start_ns=facts.start_ns,
        end_ns=facts.end_ns,
        messages=facts.messages,
        bytes=facts.bag_bytes,
    )


def _print_totals(totals: tuple[ObjectTotal, ...], *, unreadable: int) -> None:
    rows = [
        [
            total.object or "(not named)",
            str(total.episodes),
            str(total.clean),
            str(total.episodes - total.clean),
            size(total.bytes),
        ]
        for total in totals
    ]
    episodes, clean = sum(t.episodes for t in totals), sum(t.clean for t in totals)
    volume = size(sum(t.bytes for t in totals))
    rows.append(["all", str(episodes), str(clean), str(episodes - clean), volume])
    numbers = [Column(title=title, align=">") for title in ("EPISODES", "CLEAN", "FLAGGED", "SIZE")]
    screen().print()
    print_listing([Column(title="OBJECT"), *numbers], rows, {len(rows) - 1: "1"})
    if unreadable:
        line = f"{counted(unreadable, 'episode')} more cannot be read"
        screen().print(f"\n{line}: `tiltbot episodes check` tells why")


def _short(problems: tuple[str, ...]) -> str:
    more = len(problems) - 1
    return problems[0] + (f" (and {more} more)" if more > 0 else "")


def _one_line(text: str) -> str:
    return " ".join(text.split())
