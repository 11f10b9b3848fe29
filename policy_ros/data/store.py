"""A training store: memory-mapped arrays of interactions, read only."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from policy_ros.data.arrays import check_crc32, open_array
from policy_ros.data.manifest import ROWS_FILE, Manifest, ShardEntry
from policy_ros.data.sample import Provenance, Sample
from policy_ros.data.store_settings import ArraySpec, StoreObject, StoreSettings, array_specs
from tiltbot_ros.errors import StoreError

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.integer[Any]]

_PROVENANCE = TypeAdapter(Provenance)


class StoreArray:
    """One array over all shards; indexing reads rows from the memory maps.

    Attributes:
        spec: name, type, shape of a row, unit.
        shape: rows first.
        dtype: little endian.
        parts: its memory map in each shard.
    """

    def __init__(self, spec: ArraySpec, parts: tuple[Array, ...], starts: Rows) -> None:
        self.spec = spec
        self.parts = parts
        self._starts = starts
        self.shape = (int(starts[-1]), *spec.row)
        self.dtype = spec.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: int | slice | Rows) -> Array:
        """Return one row (a view), or a copy of some rows in the order asked for."""
        if isinstance(key, int | np.integer):
            row = int(key) + (len(self) if key < 0 else 0)
            if not 0 <= row < len(self):
                raise IndexError(f"expected a row below {len(self)}, got {key}")
            shard = int(np.searchsorted(self._starts, row, "right")) - 1
            one: Array = self.parts[shard][row - int(self._starts[shard])]
            return one
        if isinstance(key, slice):
            return self.take(np.arange(*key.indices(len(self))))
        return self.take(np.asarray(key))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        whole = self.take(np.arange(len(self)))
        return whole if dtype is None else whole.astype(dtype)

    def take(self, rows: Rows, out: Array | None = None) -> Array:
        """Gather rows, shard by shard.

        Args:
            rows: (n,) indices, in any order, also repeated.
            out: (n, ...) to write to, in the array's type; None: a new one.

        Raises:
            IndexError: a row is not there.
        """
        if rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < len(self):
            raise IndexError(f"expected rows below {len(self)}, got {rows.min()} to {rows.max()}")
        if out is None:
            out = np.empty((len(rows), *self.spec.row), self.dtype)
        if len(self.parts) == 1:
            np.take(self.parts[0], rows, axis=0, out=out, mode="clip")
            return out
        shards = np.searchsorted(self._starts, rows, "right") - 1
        for shard in np.unique(shards):
            places = np.flatnonzero(shards == shard)
            out[places] = self.parts[shard][rows[places] - self._starts[shard]]
        return out


class Store:
    """A training store that was opened.

    It can be sent to another process: it is opened again there.

    Attributes:
        path: its folder.
        manifest: its index.
        settings: what it keeps of an interaction.
        objects: in the order of their indices.
        hash: of settings, objects and data; equal stores have equal hashes.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self.settings: StoreSettings = manifest.settings
        self.objects: tuple[StoreObject, ...] = manifest.objects
        self.hash = manifest.hash
        self._starts = np.cumsum([0, *(shard.rows for shard in manifest.shards)])
        specs = array_specs(self.settings)
        names = {spec.name for spec in specs}
        for shard in manifest.shards:
            if set(shard.crc32) != names:
                raise StoreError(
                    f"{path / 'store.json'}: expected the arrays {', '.join(sorted(names))} in "
                    f"{shard.name}, got {', '.join(sorted(shard.crc32))}"
                )
        self._arrays = {
            spec.name: StoreArray(
                spec,
                tuple(
                    open_array(path / shard.name / f"{spec.name}.npy", spec, shard.rows)
                    for shard in manifest.shards
                ),
                self._starts,
            )
            for spec in specs
        }
        self._check_objects()

    @staticmethod
    def open(path: Path) -> "Store":
        """Open a store; every file's size and header is checked, its data by `verify`.

        Raises:
            StoreError: it is missing, half written, cut short or of another version; the text
                names the file.
        """
        path = path.expanduser()
        manifest = Manifest.read(path)
        while True:
            try:
                return Store(path, manifest)
            except StoreError:
                # A writer may have replaced shards since the index was read.
                before, manifest = manifest, Manifest.read(path)
                if manifest.shards == before.shards:
                    raise

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __reduce__(self) -> tuple[Any, ...]:
        return (_reopened, (self.path, self.hash))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(self._arrays)

    def array(self, name: str) -> StoreArray:
        """Return an array by its name.

        Raises:
            StoreError: there is none; the text lists those there are.
        """
        if name not in self._arrays:
            raise StoreError(
                f"{self.path}: expected one of the arrays {', '.join(self._arrays)}, got {name!r}"
            )
        return self._arrays[name]

    def sample(self, row: int) -> Sample:
        """Return one row, copied.

        Raises:
            IndexError: there is no such row.
            StoreError: `rows.jsonl` is corrupt.
        """
        values = {name: array[row] for name, array in self._arrays.items()}
        return Sample(
            audio=values["audio"].copy(),
            spectrogram=values["spectrogram"].copy(),
            before=values["before"].copy(),
            after=values["after"].copy(),
            action=values["action"].copy(),
            rotation=values["rotation"].copy(),
            location_before=values["location_before"].copy(),
            location_after=values["location_after"].copy(),
            tray=values["tray"].copy(),
            object=self.objects[int(values["object"])].name,
            contact_channel=int(values["contact_channel"]),
            contact_level=float(values["contact_level"]),
            contact_ns=int(values["contact_ns"]),
            start_ns=int(values["start_ns"]),
            clean=bool(values["clean"]),
            provenance=self.provenance(row),
            clip=values["clip"].copy() if "clip" in values else None,
        )

    def provenance(self, row: int) -> Provenance:
        """Return where a row is from; for many rows use `provenances`.

        Raises:
            IndexError: there is no such row.
            StoreError: `rows.jsonl` is corrupt.
        """
        row += len(self) if row < 0 else 0
        if not 0 <= row < len(self):
            raise IndexError(f"expected a row below {len(self)}, got {row}")
        shard = int(np.searchsorted(self._starts, row, "right")) - 1
        entry = self.manifest.shards[shard]
        lines = read_lines(self.path, entry)
        return parse_line(lines[row - int(self._starts[shard])], self.path / entry.name)

    def provenances(self) -> Iterator[Provenance]:
        """Yield where each row is from, in order.

        Raises:
            StoreError: a `rows.jsonl` is corrupt.
        """
        for entry in self.manifest.shards:
            for line in read_lines(self.path, entry):
                yield parse_line(line, self.path / entry.name)

    def verify(self) -> None:
        """Read everything and compare it with the checksums.

        Raises:
            StoreError: a file is corrupt; the text names it.
        """
        for number, entry in enumerate(self.manifest.shards):
            read_lines(self.path, entry)
            for name, array in self._arrays.items():
                file = self.path / entry.name / f"{name}.npy"
                check_crc32(file, array.parts[number], entry.crc32[name])

    def _check_objects(self) -> None:
        for entry, indices in zip(self.manifest.shards, self._arrays["object"].parts, strict=True):
            if not 0 <= indices.min() <= indices.max() < len(self.objects):
                raise StoreError(
                    f"{self.path / entry.name / 'object.npy'}: expected indices below "
                    f"{len(self.objects)}, got {indices.min()} to {indices.max()}: the file is "
                    "corrupt; remove the store and convert the bags again"
                )


def read_lines(path: Path, entry: ShardEntry) -> list[bytes]:
    """Return the lines of a shard's `rows.jsonl`.

    Raises:
        StoreError: it is missing or corrupt.
    """
    file = path / entry.name / ROWS_FILE
    try:
        text = file.read_bytes()
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from error
    lines = text.splitlines()
    if crc32(text) != entry.rows_crc32 or len(lines) != entry.rows:
        raise StoreError(
            f"{file}: expected {entry.rows} lines with the CRC-32 {entry.rows_crc32:08x}, got "
            f"{len(lines)} with {crc32(text):08x}: the file is corrupt; convert the bags again"
        )
    return lines


def parse_line(line: bytes, shard: Path) -> Provenance:
    """Return what a line of `rows.jsonl` says.

    Raises:
        StoreError: it is not the provenance of a row.
    """
    try:
        return _PROVENANCE.validate_json(line)
    except ValidationError as error:
        raise StoreError(f"{shard / ROWS_FILE}: not the provenance of a row: {error}") from error


def write_line(provenance: Provenance) -> bytes:
    """Return a line of `rows.jsonl`."""
    return _PROVENANCE.dump_json(provenance) + b"\n"


def _reopened(path: Path, content_hash: str) -> Store:
    store = Store.open(path)
    if store.hash != content_hash:
        raise StoreError(
            f"{path}: expected the store {content_hash} that is in use, got {store.hash}: it was "
            "converted anew meanwhile; start again"
        )
    return store
