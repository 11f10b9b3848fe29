"""Bring a training store up to date with folders of episodes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from pathlib import Path

from policy_ros.data.episodes import (
    is_clean,
    provenance_of,
    read_interaction,
)
from policy_ros.data.making import SampleMaker
from policy_ros.data.manifest import FILE, LeftOut, Manifest
from policy_ros.data.ordered import in_order
from policy_ros.data.sample import Sample
from policy_ros.data.shards import Relabel
from policy_ros.data.store import Store
from policy_ros.data.store_settings import StoreSettings
from policy_ros.data.writer import StoreWriter
from tiltbot_ros.episodes.catalogue import Listed, each_episode
from tiltbot_ros.episodes.constant import read_constant_facts
from tiltbot_ros.episodes.facts import EpisodeFacts
from tiltbot_ros.errors import EpisodeError, TiltbotError

_BATCH = 8
"""Episodes that a worker converts in one go."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Converted:
    """What a conversion did.

    Attributes:
        rows: in the store now.
        added, relabelled, removed: rows by this conversion.
        left_out: episodes of these folders that are not in the store, and why.
    """

    rows: int
    added: int
    relabelled: int
    removed: int
    left_out: tuple[LeftOut, ...]

    @property
    def faults(self) -> int:
        """Episodes that something is wrong with."""
        return sum(entry.cause == "fault" for entry in self.left_out)


def convert(
    folders: Sequence[Path],
    store: Path,
    *,
    settings: StoreSettings | None = None,
    objects: Mapping[str, str] | None = None,
    clean_only: bool = False,
    workers: int = 1,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> Converted:
    """Make a store of folders of episodes, or bring it up to date with them.

    New episodes are added in the order of folders and numbers, relabelled ones
    changed, and those that are gone from their folder removed. Rows from
    other folders stay, as do those whose `episode.json` cannot be read now.
    On KeyboardInterrupt what is converted is kept.

    Args:
        folders: data folders.
        store: folder of the store.
        settings: of a new store; None: the defaults. Where they do not say the greatest tilt, it
            is that of the first episode's rig.
        objects: set of each known object, A or B.
        clean_only: leave out flagged episodes that nobody has kept.
        workers: processes at a time; the bytes of the store do not depend on it.
        tell: told how many new episodes were read, and of how many.

    Raises:
        StoreError: the store is not whole, has other settings, or cannot be written to.
        EpisodeError: there is no such folder.
    """
    places = list(dict.fromkeys(folder.expanduser().resolve() for folder in folders))
    for place in places:
        if not place.is_dir():
            raise EpisodeError(f"{place}: expected a folder of episodes, found none")
    with StoreWriter(store, _complete(settings, store, places), objects=objects) as writer:
        todo = _compare(Store.open(store), places, clean_only=clean_only)
        writer.change(todo.changes)
        left_out = list(todo.left_out)
        added = 0
        try:
            for done, outcome in enumerate(_outcomes(todo.new, writer.settings, workers), 1):
                if isinstance(outcome, LeftOut):
                    left_out.append(outcome)
                else:
                    writer.add(outcome)
                    added += 1
                tell(done, len(todo.new))
        except KeyboardInterrupt:
            writer.flush()
            raise
        writer.flush()
        left_out.sort(key=lambda entry: (places.index(Path(entry.folder)), _number(entry.id)))
        writer.leave_out(map(str, places), left_out)
        return Converted(
            rows=len(writer),
            added=added,
            relabelled=sum(change is not None for change in todo.changes.values()),
            removed=sum(change is None for change in todo.changes.values()),
            left_out=tuple(left_out),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Todo:
    new: tuple[Path, ...]
    changes: dict[int, Relabel | None]
    left_out: tuple[LeftOut, ...]


_Key = tuple[int, int, int]


def _compare(store: Store, places: Sequence[Path], *, clean_only: bool) -> _Todo:
    """Find what is new, changed, gone, and not to be taken."""
    stamps = store.array("contact_ns")[:]
    clean = store.array("clean")[:]
    names = store.array("object")[:]
    rows: dict[_Key, int] = {}
    known = list(store.provenances())
    for number, told in enumerate(known):
        rows[told.bag_bytes, told.bag_crc32, int(stamps[number])] = number
    first: dict[_Key, Path] = {}
    new: list[Path] = []
    changes: dict[int, Relabel | None] = {}
    left_out: list[LeftOut] = []
    unreadable: set[tuple[str, str]] = set()
    # One after another: the facts of thousands would take hundreds of megabytes.
    for entry in chain.from_iterable(map(each_episode, places)):
        facts = entry.facts
        if facts is None:
            left_out.append(_left_out(entry.path, "fault", entry.problem))
            unreadable.add((str(entry.path.parent), entry.path.name))
            continue
        key = (facts.bag_bytes, facts.bag_crc32, facts.contact.stamp_ns)
        unwanted = _unwanted(facts, clean_only=clean_only)
        if unwanted is None and key in first:
            unwanted = "copy", f"a copy of {first[key]}"
        if unwanted is not None:
            cause, reason = unwanted
            left_out.append(_left_out(entry.path, cause, f"{entry.path}: {reason}"))
            continue
        first[key] = entry.path
        row = rows.get(key)
        if row is None:
            new.append(entry.path)
            continue
        now = replace(provenance_of(entry.path, facts, ""), origin=known[row].origin)
        same = store.objects[int(names[row])].name == facts.object
        if now != known[row] or not same or bool(clean[row]) != is_clean(facts):
            changes[row] = Relabel(object=facts.object, clean=is_clean(facts), provenance=now)
    here = {str(place) for place in places}
    for key, number in rows.items():
        place = (known[number].folder, known[number].id)
        if key not in first and place[0] in here and place not in unreadable:
            changes[number] = None
    return _Todo(new=tuple(new), changes=changes, left_out=tuple(left_out))


def _unwanted(facts: EpisodeFacts, *, clean_only: bool) -> tuple[str, str] | None:
    """Return cause and reason why a whole episode is not for training, or None."""
    if not facts.object:
        return "no object", "no object is named: `tiltbot episodes relabel` names it"
    if facts.tilt is None:
        return "no tilt", "no tilt: the action is not known"
    if clean_only and not is_clean(facts):
        return "flagged", f"flagged: {'; '.join(facts.verdict.problems)}"
    return None


def _outcomes(
    new: Sequence[Path], settings: StoreSettings, workers: int
) -> Iterator[Sample | LeftOut]:
    pieces = [
        (tuple(new[start : start + _BATCH]), settings) for start in range(0, len(new), _BATCH)
    ]
    for outcomes in in_order(_work, pieces, workers=workers):
        yield from outcomes


def _work(piece: tuple[tuple[Path, ...], StoreSettings]) -> list[Sample | LeftOut]:
    paths, settings = piece
    return [_converted(path, _maker(settings)) for path in paths]


@lru_cache(maxsize=1)
def _maker(settings: StoreSettings) -> SampleMaker:
    return SampleMaker(settings)


def _converted(path: Path, maker: SampleMaker) -> Sample | LeftOut:
    try:
        facts = EpisodeFacts.read(path)
        raw = read_interaction(path, facts, clip=maker.settings.clip)
    except TiltbotError as error:
        return _left_out(path, "fault", str(error))
    try:
        return maker.make(raw)
    except TiltbotError as error:
        return _left_out(path, "fault", f"{path}: {error}")


def _left_out(path: Path, cause: str, reason: str) -> LeftOut:
    return LeftOut.model_validate(
        {"id": path.name, "folder": str(path.parent), "cause": cause, "reason": reason}
    )


def _number(episode_id: str) -> int:
    return int(episode_id.removeprefix("ep_"))


def _complete(
    settings: StoreSettings | None, store: Path, places: Sequence[Path]
) -> StoreSettings | None:
    """Return the settings with the greatest tilt of the store there is, or of the first rig."""
    if settings is not None and "max_tilt_rad" in settings.model_fields_set:
        return settings
    if (store.expanduser() / FILE).exists():
        tilt_rad = Manifest.read(store.expanduser()).settings.max_tilt_rad
        return settings and settings.model_copy(update={"max_tilt_rad": tilt_rad})
    episodes = chain.from_iterable(map(each_episode, places))
    tilts_rad = (_greatest_tilt_rad(entry) for entry in episodes if entry.facts is not None)
    tilt_rad = next((tilt_rad for tilt_rad in tilts_rad if tilt_rad > 0.0), 0.0)
    chosen = settings or StoreSettings()
    return chosen.model_copy(update={"max_tilt_rad": tilt_rad}) if tilt_rad else chosen


def _greatest_tilt_rad(entry: Listed) -> float:
    try:
        return read_constant_facts(entry.path).max_tilt_rad
    except TiltbotError:
        return 0.0
