"""How far a folder of pushes has come, and how finished batches become a data set."""

import fcntl
import os
import shutil
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from tiltbot_ros.episodes.folder import sync_directory, sync_file, write_durably
from tiltbot_ros.errors import ConfigError, RecordingError
from tiltbot_ros.generating.push_plan import PushBatch, PushPlan
from tiltbot_ros.generating.push_set import (
    ARRAYS,
    FORMAT_VERSION,
    MANIFEST,
    ArrayFacts,
    Manifest,
    PushSet,
    crc32_of,
)
from tiltbot_ros.settings import explain

FRAME = "origin in the middle of the table's top, x right and y up in the pictures, z up"

_WORK = ".pushes"
_PLAN = "plan.json"
_TOPPLED = 0.7


class PushFolder:
    """A folder that a plan of pushes fills.

    `.pushes/plan.json` is the plan, `.pushes/batch_00042.npz` a finished
    batch. When all are there, they are joined to the arrays, the manifest is
    written last, and `.pushes` goes. Whatever is killed when: the same plan
    goes on.

    Args:
        path: new, or one that the same plan has begun or finished.
        plan: what is made.

    Raises:
        ConfigError: it holds something else, or another plan.
        RecordingError: another process writes to it, or it cannot be written to.
    """

    def __init__(self, path: Path, plan: PushPlan) -> None:
        self.path = path
        self.plan = plan
        self._work = path / _WORK
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise RecordingError(f"{path}: cannot be written to: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._begin()
        except BlockingIOError as error:
            self.close()
            raise RecordingError(
                f"{path}: another process writes to this folder: stop it or give another --out"
            ) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._lock)

    @property
    def finished(self) -> bool:
        """Whether the data set is whole."""
        return (self.path / MANIFEST).is_file()

    def left(self) -> tuple[PushBatch, ...]:
        """Return the batches that are still to be made."""
        if self.finished:
            return ()
        return tuple(b for b in self.plan.batches() if not self.file(b).is_file())

    def made(self) -> int:
        """Return how many pushes are on disk."""
        if self.finished:
            return self.plan.pushes
        return sum(b.pushes for b in self.plan.batches() if self.file(b).is_file())

    def file(self, batch: PushBatch) -> Path:
        """Return where a batch is kept."""
        return self._work / f"{batch.name}.npz"

    def join(self) -> PushSet:
        """Write the arrays and the manifest; return the data set.

        Raises:
            RecordingError: a batch cannot be read.
        """
        if not self.finished:
            _join(self.path, self.plan, {batch: self.file(batch) for batch in self.plan.batches()})
        shutil.rmtree(self._work, ignore_errors=True)
        return PushSet.open(self.path)

    def _begin(self) -> None:
        file = self._work / _PLAN
        if self.finished:
            begun = PushSet.open(self.path).manifest.plan
        elif file.is_file():
            try:
                begun = PushPlan.model_validate_json(file.read_bytes()).model_dump(mode="json")
            except ValidationError as error:
                raise ConfigError(f"{file}: not a plan of pushes: {explain(error)}") from error
        elif any(entry.name != _WORK for entry in self.path.iterdir()):
            raise ConfigError(
                f"{self.path}: expected an empty folder, or one that `tiltbot generate-pushes` "
                f"began, but there are other files: give another --out"
            )
        else:
            self._work.mkdir(exist_ok=True)
            write_durably(file, self.plan.model_dump_json(indent=2).encode() + b"\n")
            return
        now = self.plan.model_dump(mode="json")
        changed = [
            f"{name} {begun.get(name)!r}, now {now[name]!r}"
            for name in now
            if begun.get(name) != now[name]
        ]
        if changed:
            raise ConfigError(
                f"{self.path}: expected the plan that this folder was begun with, but it had "
                f"{'; '.join(changed)}: go on with the same options, or give another --out"
            )


def keep(file: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write a finished batch, all of ARRAYS, durably."""
    scratch = file.with_suffix(".partial")
    with scratch.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)
    sync_file(scratch)
    scratch.rename(file)
    sync_directory(file.parent)


def _join(path: Path, plan: PushPlan, files: dict[PushBatch, Path]) -> None:
    arrays = {}
    for name, spec in ARRAYS.items():
        scratch = path / f"{name}.npy.partial"
        shape = (plan.pushes, *spec.row(plan.picture_pixels))
        mapped = np.lib.format.open_memmap(scratch, mode="w+", dtype=spec.dtype, shape=shape)
        for batch, file in files.items():
            mapped[batch.row : batch.row + batch.pushes] = _read(file, name)
        mapped.flush()
        sync_file(scratch)
        arrays[name] = ArrayFacts(
            dtype=spec.dtype, shape=shape, unit=spec.unit, crc32=crc32_of(mapped)
        )
        del mapped
        scratch.rename(path / f"{name}.npy")
    sync_directory(path)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        plan=plan.model_dump(mode="json"),
        objects=plan.objects,
        train_objects=plan.train_objects,
        test_objects=plan.test_objects,
        half_side_m=plan.table.half_side_m,
        frame=FRAME,
        statistics=_statistics(path, plan),
        arrays=arrays,
    )
    write_durably(path / MANIFEST, manifest.model_dump_json(indent=2).encode() + b"\n")


def _read(file: Path, name: str) -> NDArray[Any]:
    try:
        with np.load(file, allow_pickle=False) as batch:
            return np.asarray(batch[name])
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise RecordingError(
            f"{file}: not a finished batch ({error}): remove it, and it is made again"
        ) from error


def _statistics(path: Path, plan: PushPlan) -> dict[str, float]:
    def load(name: str) -> NDArray[Any]:
        return np.asarray(np.load(path / f"{name}.npy", mmap_mode="r", allow_pickle=False))

    unit_m = plan.table.half_side_m
    start, end = load("truth_start")[:, :2], load("truth_end")[:, :2]
    moved = np.hypot(*(end - start).T)
    error = np.hypot(*(load("location_start") * unit_m - start).T)
    return {
        "not_seen_after": float(np.isnan(load("location_end")).any(axis=1).sum()),
        "toppled": float((load("upright") < _TOPPLED).sum()),
        "not_rested": float((~load("rested")).sum()),
        "moved_mean_m": round(float(moved.mean()), 5),
        "moved_deviation_m": round(float(moved.std()), 5),
        "location_error_median_m": round(float(np.median(error)), 5),
    }
