"""Write a training store so that no kill or full disk costs more than one unfinished shard.

A shard is written to `shard_00042.partial/`, synced, renamed, and only then
named in `store.json`, which is replaced as a whole. A shard that is not in
`store.json` does not exist: the next writer removes it.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from policy_ros.data.manifest import FILE, LeftOut, Manifest, ShardEntry, differences
from policy_ros.data.sample import Sample
from policy_ros.data.shards import PARTIAL, Objects, Relabel, Shard
from policy_ros.data.store import Store, read_lines, write_line
from policy_ros.data.store_settings import StoreSettings, array_specs
from tiltbot_ros.errors import StoreError

_LOCK = ".lock"


class StoreWriter:
    """Makes a store, or adds to one.

    Rows come into shards of `settings.shard_rows`; a last shard that is not
    full is filled up by the next writer, so that a store made in many steps
    has the bytes of one made at once. Leaving the `with` block regularly
    finishes the last shard; leaving it by an exception gives up the rows since
    the last full one.

    Args:
        path: new or empty, or a store.
        settings: of a new store; a store that is there must have the same. None: those that it
            has, or the defaults.
        objects: names of the objects of set A and of set B; others are in neither.

    Raises:
        StoreError: another process writes to it, it is not whole, has other settings, or cannot
            be written to.
    """

    def __init__(
        self,
        path: Path,
        settings: StoreSettings | None = None,
        *,
        objects: Mapping[str, str] | None = None,
    ) -> None:
        self.path = path.expanduser()
        self._sets = dict(objects or {})
        self._lock = _locked(self.path)
        self._shard: Shard | None = None
        try:
            self._manifest = self._begin(settings)
            self._sweep()
        except BaseException:
            self.close()
            raise
        self.settings: StoreSettings = self._manifest.settings
        self._specs = array_specs(self.settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self.close()

    @property
    def manifest(self) -> Manifest:
        """The store's index as it is on disk."""
        return self._manifest

    def __len__(self) -> int:
        """Rows that are safely on disk."""
        return self._manifest.rows

    @property
    def unfinished(self) -> int:
        """Rows of the shard that is being written."""
        return self._shard.rows if self._shard is not None else 0

    def add(self, sample: Sample) -> None:
        """Add a row.

        Raises:
            StoreError: a value has another type, shape or range, or the disk is full.
        """
        row = self._checked(sample)
        try:
            if self._shard is None:
                self._shard = self._new_shard()
            row["object"] = np.asarray(self._shard.objects.index(sample.object), "<i2")
            self._shard.append(row, write_line(sample.provenance))
        except OSError as error:
            raise self._failed(error) from error
        except BaseException:
            # Half a row, as Ctrl-C may leave it, must never be finished.
            self._abandon()
            raise
        if self._shard.rows >= self.settings.shard_rows:
            self.flush()

    def flush(self) -> None:
        """Finish the shard that is being written.

        Raises:
            StoreError: the disk is full.
        """
        shard, self._shard = self._shard, None
        if shard is None:
            return
        try:
            entry = shard.finish()
        except OSError as error:
            shard.abandon()
            raise self._failed(error) from error
        kept = [old for old in self._manifest.shards if old.name != shard.replaces]
        self._commit(shards=(*kept, entry), objects=shard.objects.entries)

    def leave_out(self, folders: Iterable[str], entries: Iterable[LeftOut]) -> None:
        """Note the episodes of some folders that are not in the store, in place of earlier notes.

        Raises:
            StoreError: the disk is full.
        """
        named = set(folders)
        others = [entry for entry in self._manifest.left_out if entry.folder not in named]
        left_out = (*others, *entries)
        if left_out != self._manifest.left_out:
            self._commit(left_out=left_out)

    def change(self, rows: Mapping[int, Relabel | None]) -> None:
        """Relabel rows, or remove them (None), all at once or not at all.

        Raises:
            StoreError: the disk is full.
        """
        self.flush()
        if not rows:
            return
        objects = Objects(self._manifest.objects, self._sets)
        shards: list[ShardEntry] = []
        number, first = self._manifest.next_shard, 0
        for entry in self._manifest.shards:
            places = [row - first for row in range(first, first + entry.rows) if row in rows]
            own = {place: rows[first + place] for place in places}
            first += entry.rows
            if not own:
                shards.append(entry)
            elif len(own) < entry.rows or any(change is not None for change in own.values()):
                shards.append(self._rewritten(entry, own, number, objects))
                number += 1
        self._commit(shards=tuple(shards), objects=objects.entries, next_shard=number)

    def _rewritten(
        self,
        entry: ShardEntry,
        changes: Mapping[int, Relabel | None],
        number: int,
        objects: Objects,
    ) -> ShardEntry:
        with_lines = {
            place: None if change is None else (change, write_line(change.provenance))
            for place, change in changes.items()
        }
        shard = Shard(self.path, number, self._specs, objects)
        try:
            shard.take_over(entry, read_lines(self.path, entry), with_lines)
            return shard.finish()
        except OSError as error:
            shard.abandon()
            raise self._failed(error) from error
        except BaseException:
            shard.abandon()
            raise

    def close(self) -> None:
        """Give up what is unfinished and let others write."""
        self._abandon()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _begin(self, settings: StoreSettings | None) -> Manifest:
        if not (self.path / FILE).exists():
            strangers = [entry.name for entry in self.path.iterdir() if not _is_ours(entry.name)]
            if strangers:
                raise StoreError(
                    f"{self.path}: expected an empty folder or a training store, found "
                    f"{', '.join(sorted(strangers)[:3])}: give another --out"
                )
            manifest = Manifest(settings=settings or StoreSettings()).sealed()
            manifest.write(self.path)
            return manifest
        manifest = Store.open(self.path).manifest
        changed = differences(manifest.settings, settings) if settings is not None else ()
        if changed:
            raise StoreError(
                f"{self.path}: expected the settings that this store was made with, but it has "
                f"{'; '.join(changed)}: use the same, or give another --out"
            )
        return manifest

    def _sweep(self) -> None:
        known = {entry.name for entry in self._manifest.shards}
        for folder in self.path.glob("shard_*"):
            if folder.name not in known:
                shutil.rmtree(folder)
        (self.path / f"{FILE}.new").unlink(missing_ok=True)

    def _commit(self, **changes: Any) -> None:
        before = {entry.name for entry in self._manifest.shards}
        manifest = self._manifest.model_copy(update=changes)
        after = {entry.name for entry in manifest.shards}
        numbers = [int(name.removeprefix("shard_")) + 1 for name in after]
        following = max([manifest.next_shard, *numbers])
        manifest = manifest.model_copy(update={"next_shard": following}).sealed()
        manifest.write(self.path)
        self._manifest = manifest
        for name in before - after:
            shutil.rmtree(self.path / name, ignore_errors=True)

    def _new_shard(self) -> Shard:
        objects = Objects(self._manifest.objects, self._sets)
        shard = Shard(self.path, self._manifest.next_shard, self._specs, objects)
        shards = self._manifest.shards
        if shards and shards[-1].rows < self.settings.shard_rows:
            try:
                shard.take_over(shards[-1], read_lines(self.path, shards[-1]), {})
            except BaseException:
                shard.abandon()
                raise
        return shard

    def _abandon(self) -> None:
        if self._shard is not None:
            self._shard.abandon()
            self._shard = None

    def _failed(self, error: OSError) -> StoreError:
        self._abandon()
        return StoreError(
            f"{error.filename or self.path}: cannot be written: {error.strerror}: make room on the "
            "disk; finished shards are kept, the same command goes on"
        )

    def _checked(self, sample: Sample) -> dict[str, npt.NDArray[Any]]:
        row: dict[str, npt.NDArray[Any]] = {}
        for spec in self._specs:
            value = 0 if spec.name == "object" else getattr(sample, spec.name)
            array = np.asarray(value)
            if array.shape != spec.row or (spec.row and array.dtype != spec.dtype):
                raise StoreError(
                    f"{sample.provenance.id}: expected {spec.name} as {spec.dtype.name} "
                    f"{spec.row}, got {array.dtype.name} {array.shape}"
                )
            row[spec.name] = array.astype(spec.dtype, copy=False)
        for name in ("action", "rotation", "spectrogram"):
            if not np.isfinite(row[name]).all():
                raise StoreError(f"{sample.provenance.id}: expected a finite {name}, got NaN")
        if np.abs(row["action"]).max() > 1.0:
            raise StoreError(
                f"{sample.provenance.id}: expected an action in [-1, 1], got "
                f"{row['action'].tolist()}: is max_tilt_rad that of the rig?"
            )
        if not sample.object:
            raise StoreError(f"{sample.provenance.id}: expected the name of an object, got none")
        return row


def _locked(path: Path) -> int:
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written to: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise StoreError(
            f"{path}: another process writes to this store: wait for it or give another --out"
        ) from error
    return lock


def _is_ours(name: str) -> bool:
    return name in {_LOCK, f"{FILE}.new", "splits"} or name.endswith(PARTIAL)
