"""One shard of a store: written row by row, or anew with some rows changed."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from policy_ros.data.arrays import ArrayWriter, check_crc32, open_array
from policy_ros.data.manifest import ROWS_FILE, ShardEntry
from policy_ros.data.sample import Provenance
from policy_ros.data.store_settings import ArraySpec, StoreObject
from tiltbot_ros.episodes.folder import sync_directory, write_durably
from tiltbot_ros.errors import StoreError

PARTIAL = ".partial"

_COPIED_ROWS = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Relabel:
    """What is new about a row whose interaction stays as it is.

    Attributes:
        object: name of the object.
        clean: no check of the verdict failed, or a person kept it.
        provenance: where it is from.
    """

    object: str
    clean: bool
    provenance: Provenance


class Objects:
    """The objects of a store; a new one gets the next index.

    Args:
        entries: those there are.
        sets: set of each known object; others are in none.
    """

    def __init__(self, entries: tuple[StoreObject, ...], sets: Mapping[str, str]) -> None:
        self.entries = entries
        self._sets = sets
        self._indices = {entry.name: index for index, entry in enumerate(entries)}

    def index(self, name: str) -> int:
        """Return the index of an object.

        Raises:
            StoreError: there are too many.
        """
        if name not in self._indices:
            if len(self.entries) > np.iinfo(np.int16).max:
                raise StoreError(f"expected at most {len(self.entries)} objects, got '{name}', too")
            self._indices[name] = len(self.entries)
            self.entries = (*self.entries, StoreObject(name=name, set=self._sets.get(name, "")))
        return self._indices[name]


class Shard:
    """A shard that is being written.

    Args:
        store: folder of the store.
        number: of the shard, never used before.
        specs: of its arrays.
        objects: of the store, with those of this shard's rows.

    Attributes:
        rows: so far.
        replaces: name of the shard whose rows it has taken over, or empty.

    Raises:
        OSError: the disk is full.
    """

    def __init__(
        self, store: Path, number: int, specs: Sequence[ArraySpec], objects: Objects
    ) -> None:
        self.name = f"shard_{number:05d}"
        self.objects = objects
        self.rows = 0
        self.replaces = ""
        self._store = store
        self._specs = specs
        self._folder = store / f"{self.name}{PARTIAL}"
        self._folder.mkdir()
        self._lines: list[bytes] = []
        self._writers: dict[str, ArrayWriter] = {}
        for spec in specs:
            self._writers[spec.name] = ArrayWriter(self._folder, spec)

    def append(self, values: Mapping[str, npt.NDArray[Any]], line: bytes) -> None:
        """Write a row: arrays (but `object`, an index) by name, and its line in `rows.jsonl`.

        Raises:
            OSError: the disk is full.
        """
        for name, writer in self._writers.items():
            writer.append(values[name][None])
        self._lines.append(line)
        self.rows += 1

    def take_over(
        self,
        entry: ShardEntry,
        lines: Sequence[bytes],
        changes: Mapping[int, tuple[Relabel, bytes] | None],
    ) -> None:
        """Begin with the rows of another shard, which this one will replace.

        Args:
            entry: the other one.
            lines: of its `rows.jsonl`.
            changes: by row within it: relabelled, with its new line, or removed (None).

        Raises:
            OSError: the disk is full.
            StoreError: the other shard is corrupt.
        """
        kept = np.array([row for row in range(entry.rows) if changes.get(row, ()) is not None], int)
        new = {row: change[0] for row, change in changes.items() if change is not None}
        for spec in self._specs:
            file = self._store / entry.name / f"{spec.name}.npy"
            old = open_array(file, spec, entry.rows)
            check_crc32(file, old, entry.crc32[spec.name])
            if spec.name == "object":
                old = old.copy()
                for row, change in new.items():
                    old[row] = self.objects.index(change.object)
            elif spec.name == "clean":
                old = old.copy()
                for row, change in new.items():
                    old[row] = change.clean
            for start in range(0, len(kept), _COPIED_ROWS):
                self._writers[spec.name].append(old[kept[start : start + _COPIED_ROWS]])
        for row in kept:
            renamed = changes.get(int(row))
            self._lines.append(lines[row] + b"\n" if renamed is None else renamed[1])
        self.rows += len(kept)
        self.replaces = entry.name

    def finish(self) -> ShardEntry:
        """Have all of it on disk under its final name.

        Raises:
            OSError: the disk is full.
        """
        for writer in self._writers.values():
            writer.finish()
        text = b"".join(self._lines)
        write_durably(self._folder / ROWS_FILE, text)
        final = self._store / self.name
        self._folder.rename(final)
        sync_directory(self._store)
        return ShardEntry(
            name=self.name,
            rows=self.rows,
            crc32={name: writer.crc32 for name, writer in self._writers.items()},
            rows_crc32=crc32(text),
        )

    def abandon(self) -> None:
        """Remove what there is of it."""
        for writer in self._writers.values():
            with suppress(OSError):  # what is still to be written does not matter any more
                writer.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.rmtree(self._store / self.name, ignore_errors=True)
