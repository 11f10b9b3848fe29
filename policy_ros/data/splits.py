"""Which rows of a store are for training, for validation and for testing: files, made once."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError, model_validator

from policy_ros.data.store import Store
from tiltbot_ros.episodes.folder import write_durably
from tiltbot_ros.errors import StoreError
from tiltbot_ros.settings import Settings, explain

Rows = npt.NDArray[np.int64]
Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")

VERSION = 1
FOLDER = "splits"

_SHOTS = (1, 5, 10)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class SplitSettings(Settings):
    """How rows are dealt out; the same for all splits of a store."""

    seed: int = Field(0, ge=0, description="of what is dealt to which part")
    test: float = Field(0.2, gt=0.0, lt=1.0, description="part of each object's rows for testing")
    validation: float = Field(
        0.1, ge=0.0, lt=1.0, description="part of each object's other rows for validation"
    )
    flagged: bool = Field(
        default=False, description="use rows that are not clean, too, instead of leaving them out"
    )


class Split(Settings):
    """One split: `<store>/splits/NAME.json`."""

    version: int = Field(VERSION, description="of the format")
    name: str = Field(pattern=_NAME.pattern, description="of the split, and of its file")
    kind: str = Field(description="what it is for, in words")
    settings: SplitSettings = Field(description="how its rows were dealt out")
    store: str = Field(description="hash of the store it belongs to")
    objects: tuple[str, ...] = Field(description="names of the objects of its rows, sorted")
    train: tuple[int, ...] = Field(description="rows to learn from")
    validation: tuple[int, ...] = Field(description="rows to stop and choose by")
    test: tuple[int, ...] = Field(description="rows to report on")
    hash: str = Field("", description="of all the others")

    @model_validator(mode="after")
    def _check(self) -> "Split":
        rows = [row for part in PARTS for row in getattr(self, part)]
        if len(set(rows)) != len(rows) or (rows and min(rows) < 0):
            raise ValueError("expected every row in one part at most, and none below 0")
        return self

    def part(self, name: Part) -> Rows:
        """Return the rows of a part, ascending."""
        return np.array(getattr(self, name), np.int64)

    def sealed(self) -> "Split":
        """Return the split with its hash."""
        document = self.model_dump(mode="json", exclude={"hash"})
        text = json.dumps(document, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return self.model_copy(update={"hash": digest})


def split_names(store: Store) -> list[str]:
    """Return the names of a store's splits."""
    return sorted(file.stem for file in (store.path / FOLDER).glob("*.json"))


def read_split(store: Store, name: str) -> Split:
    """Read one of a store's splits.

    Args:
        store: that it was made for.
        name: of the split, or the path of its file.

    Raises:
        StoreError: there is none, it was changed, or it was made for another store.
    """
    file = Path(name) if name.endswith(".json") else store.path / FOLDER / f"{name}.json"
    try:
        split = Split.model_validate_json(file.read_bytes())
    except OSError as error:
        there = ", ".join(split_names(store)) or "none: `tiltbot splits` makes them"
        raise StoreError(f"{file}: cannot be read: {error.strerror}; there are {there}") from error
    except ValidationError as error:
        first = explain(error).splitlines()[0][:300]
        raise StoreError(f"{file}: not a split of a training store: {first}") from error
    if split.version != VERSION:
        raise StoreError(
            f"{file}: expected version {VERSION} of the format, got {split.version}: make it again "
            "with `tiltbot splits`"
        )
    if split.hash != split.sealed().hash:
        raise StoreError(
            f"{file}: expected the hash {split.sealed().hash} of its content, got '{split.hash}': "
            "the file was changed; make it again with `tiltbot splits`"
        )
    if split.store != store.hash:
        raise StoreError(
            f"{file}: expected a split of the store {store.hash} ({store.path}), got one of the "
            f"store {split.store}: make it again with `tiltbot splits`, or use its own store"
        )
    last = max((row for part in PARTS for row in getattr(split, part)), default=-1)
    if last >= len(store):
        raise StoreError(f"{file}: expected rows below {len(store)}, got {last}")
    return split


def write_split(store: Store, split: Split) -> Path:
    """Write a split beside its store's shards; return its file.

    Raises:
        StoreError: it cannot be written.
    """
    file = store.path / FOLDER / f"{split.name}.json"
    try:
        file.parent.mkdir(exist_ok=True)
        write_durably(file, split.model_dump_json().encode() + b"\n")
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error.strerror}") from error
    return file


def make_splits(
    store: Store, settings: SplitSettings, *, shots: Iterable[int] | None = None
) -> tuple[Split, ...]:
    """Return the splits that a store's objects allow.

    - `all`: every object, train / validation / test.
    - `set_a`, `set_b`: the same within a set.
    - `a_to_b`: train and validation of `set_a`, test of `set_b`.
    - `b_1_shot` …: so many rows of each object of set B to learn from, none for
      validation, test of `set_b`. The rows of fewer shots are among those of more. Without
      `shots`, those of 1, 5 and 10 that every object has rows for.

    What a row is dealt to depends on the seed and on its own recording alone.
    Each object is dealt out by itself, so all are in every part in the same
    proportion; recordings that overlap in time stay together.

    Raises:
        StoreError: there is no row to deal out, or not as many as shots are wanted.
    """
    deals = _deal(store, settings)
    sets = {entry.name: entry.set for entry in store.objects}
    chosen: dict[str, dict[str, _Deal]] = {
        "all": deals,
        "set_a": {name: deal for name, deal in deals.items() if sets[name] == "A"},
        "set_b": {name: deal for name, deal in deals.items() if sets[name] == "B"},
    }
    words = {"all": "all objects", "set_a": "objects of set A", "set_b": "objects of set B"}
    splits = [
        _split(store, settings, name, f"within {words[name]}", train=part, test=part)
        for name, part in chosen.items()
        if part
    ]
    set_a, set_b = chosen["set_a"], chosen["set_b"]
    if set_a and set_b:
        splits.append(
            _split(store, settings, "a_to_b", "from set A to set B", train=set_a, test=set_b)
        )
    most = min((len(deal.order) for deal in set_b.values()), default=0)
    for count in sorted(set(_SHOTS if shots is None else shots)):
        if not 1 <= count <= most:
            if shots is None:
                continue
            raise StoreError(
                f"{store.path}: expected 1 to {most} shots, because that many rows of every object "
                f"of set B are for training, got {count}"
            )
        few = {
            name: _Deal(train=deal.order[:count], validation=(), test=(), order=())
            for name, deal in set_b.items()
        }
        kind = f"{count} of each object of set B"
        splits.append(_split(store, settings, f"b_{count}_shot", kind, train=few, test=set_b))
    return tuple(splits)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Deal:
    """Rows of one object by part; `order` are those to train on, as they were drawn."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    order: tuple[int, ...]


def _split(
    store: Store,
    settings: SplitSettings,
    name: str,
    kind: str,
    *,
    train: Mapping[str, _Deal],
    test: Mapping[str, _Deal],
) -> Split:
    return Split(
        name=name,
        kind=kind,
        settings=settings,
        store=store.hash,
        objects=tuple(sorted({*train, *test})),
        train=tuple(sorted(row for deal in train.values() for row in deal.train)),
        validation=tuple(sorted(row for deal in train.values() for row in deal.validation)),
        test=tuple(sorted(row for deal in test.values() for row in deal.test)),
    ).sealed()


def _deal(store: Store, settings: SplitSettings) -> dict[str, _Deal]:
    """Deal out the rows of each object, by its name."""
    groups = _groups(store)
    usable = np.ones(len(store), bool) if settings.flagged else store.array("clean")[:]
    objects = store.array("object")[:]
    stamps = store.array("contact_ns")[:]
    keys = [
        f"{settings.seed}/{told.bag_crc32}/{told.bag_bytes}/{told.id}/{stamp}"
        for told, stamp in zip(store.provenances(), stamps, strict=True)
    ]
    deals: dict[str, _Deal] = {}
    for index, entry in enumerate(store.objects):
        rows = np.flatnonzero((objects == index) & usable)
        if not len(rows):
            continue
        members: dict[int, list[int]] = {}
        for row in rows.tolist():
            members.setdefault(int(groups[row]), []).append(row)
        # A group goes where the smallest key of its rows says.
        shuffled = sorted(members.values(), key=lambda group: min(_drawn(keys[r]) for r in group))
        test, rest = _fill(shuffled, round(settings.test * len(rows)))
        left = sum(map(len, rest))
        validation, rest = _fill(rest, round(settings.validation * left))
        order = [row for group in rest for row in group]
        deals[entry.name] = _Deal(
            train=tuple(sorted(order)),
            validation=tuple(sorted(row for group in validation for row in group)),
            test=tuple(sorted(row for group in test for row in group)),
            order=tuple(order),
        )
    if not deals:
        raise StoreError(
            f"{store.path}: expected rows to deal out, found {len(store)}, none of them clean: "
            "use flagged ones, too"
        )
    return deals


def _fill(groups: list[list[int]], wanted: int) -> tuple[list[list[int]], list[list[int]]]:
    """Take groups from the front until there are as many rows as wanted."""
    count = 0
    for place, group in enumerate(groups):
        if count >= wanted:
            return groups[:place], groups[place:]
        count += len(group)
    return groups, []


def _groups(store: Store) -> Rows:
    """Return a number for each row; rows whose sound overlaps in time share it."""
    if not len(store):
        return np.empty(0, np.int64)
    start = store.array("start_ns")[:]
    objects = store.array("object")[:]
    folders = np.array([told.folder for told in store.provenances()])
    step = np.diff(start)
    overlaps = (step >= 0) & (step < store.settings.seconds * 1e9)
    overlaps &= (objects[1:] == objects[:-1]) & (folders[1:] == folders[:-1])
    return np.cumsum([0, *~overlaps]).astype(np.int64)


def _drawn(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=8).digest()
