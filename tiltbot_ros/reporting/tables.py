"""From rows to the table that the page holds."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tiltbot_ros.episodes.facts import software_version
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.reporting.page import PageChunk, PageObject, PageRows, PageTable
from tiltbot_ros.reporting.rates import PAUSE_S, contact_rates
from tiltbot_ros.reporting.rows import Row
from tiltbot_ros.worlds.objects import ObjectCatalogue

_VERDICTS = ("clean", "flagged", "unreadable")


def by_object(rows: Sequence[Row]) -> dict[str, list[int]]:
    """Return the places of each object's rows; objects by name, those without one last."""
    found: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        found[row.object].append(place)
    return {name: found[name] for name in sorted(found, key=lambda name: (name == "", name))}


def page_table(
    folder: Path,
    rows: Sequence[Row],
    *,
    chunks: Sequence[PageChunk],
    covers: Mapping[str, str],
    title: str,
    note: str,
) -> PageTable:
    """Return the table of a data folder.

    Args:
        folder: where the episodes are.
        rows: all of them.
        chunks: of media.
        covers: data URIs of small pictures by object.
        title: name of the data set; empty: that of its folder.
        note: what the galleries show.
    """
    places = by_object(rows)
    texts, kinds = _Numbers(), _Numbers()
    numbers = {name: number for number, name in enumerate(places)}
    columns = PageRows(
        id=[row.id for row in rows],
        object=[numbers[row.object] for row in rows],
        time=[None if row.contact_ns is None else round(row.contact_ns / 1e6) for row in rows],
        level=[_rounded(row.level, 5) for row in rows],
        channel=[row.channel for row in rows],
        ax=[None if row.action is None else _rounded(row.action[0], 3) for row in rows],
        ay=[None if row.action is None else _rounded(row.action[1], 3) for row in rows],
        contacts=[row.contacts for row in rows],
        rate=_rates(rows, places),
        seconds=[_rounded(row.seconds, 3) for row in rows],
        bytes=[row.bytes for row in rows],
        verdict=[_VERDICTS.index(row.verdict) for row in rows],
        kinds=[tuple(kinds.of(kind) for kind in row.kinds) for row in rows],
        problems=[tuple(texts.of(problem) for problem in row.problems) for row in rows],
        outcome=[texts.of(row.outcome) for row in rows],
        labels=[tuple((texts.of(n), texts.of(v)) for n, v in row.labels) for row in rows],
        kept=[int(row.kept) for row in rows],
    )
    return PageTable(
        title=_readable(title or folder.resolve().name),
        folder=_readable(folder.resolve().name),
        software=software_version(),
        made=dt.datetime.now(dt.UTC).astimezone().strftime("%Y-%m-%d %H:%M"),
        note=note,
        pause_s=PAUSE_S,
        objects=_objects(tuple(places), covers),
        kinds=tuple(kinds.texts),
        texts=tuple(texts.texts),
        chunks=tuple(chunks),
        rows=columns,
    )


class _Numbers:
    """Gives every text a number, the same text the same one."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def of(self, text: str) -> int:
        number = self._numbers.setdefault(text, len(self.texts))
        if number == len(self.texts):
            self.texts.append(_readable(text))
        return number


def _rates(rows: Sequence[Row], places: Mapping[str, Sequence[int]]) -> list[float | None]:
    found: list[float | None] = [None] * len(rows)
    for own in places.values():
        dated = [place for place in own if rows[place].contact_ns is not None]
        rates = contact_rates(
            np.array([rows[place].contact_ns for place in dated], np.int64),
            np.array([rows[place].contacts for place in dated], np.int64),
        )
        for place, rate in zip(dated, rates.tolist(), strict=True):
            found[place] = _rounded(rate, 2)
    return found


def _objects(names: Sequence[str], covers: Mapping[str, str]) -> tuple[PageObject, ...]:
    try:
        catalogue = {spec.name: spec for spec in ObjectCatalogue.load()}
    except ConfigError:  # a page without materials is better than none
        catalogue = {}
    return tuple(
        PageObject(
            name=_readable(name),
            set=spec.set if spec else "",
            material=spec.material if spec else "",
            shape=spec.shape if spec else "",
            color=spec.color if spec else "",
            mass_kg=spec.mass_kg if spec else None,
            cover=covers.get(name, ""),
        )
        for name, spec in ((name, catalogue.get(name)) for name in names)
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or not np.isfinite(value) else round(value, digits)


def _readable(text: str) -> str:
    """Return a text without what has no place in UTF-8, such as bytes of old file names."""
    return text.encode("utf-8", "replace").decode()
