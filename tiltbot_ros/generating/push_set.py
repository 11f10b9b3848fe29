"""The pushing data set on disk: memory-mapped arrays and a manifest that vouches for them.

A folder with one `NAME.npy` for every array of ARRAYS and, written last,
`pushes.json`: plan, seed, versions, units, and the CRC-32 of every array.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from tiltbot_ros.errors import FormatError
from tiltbot_ros.settings import Settings, explain

MANIFEST = "pushes.json"
FORMAT_VERSION = 1

_CHUNK_BYTES = 1 << 24


@dataclass(frozen=True, kw_only=True, slots=True)
class ArraySpec:
    """What an array holds.

    Attributes:
        dtype: its type in NumPy's names.
        shape: of a row; "picture" stands for (pixels, pixels, 3).
        unit: of its numbers, and what they mean.
    """

    dtype: str
    shape: tuple[int, ...] | Literal["picture"]
    unit: str

    def row(self, pixels: int) -> tuple[int, ...]:
        """Return the shape of a row, given the side of a picture [pixels]."""
        return (pixels, pixels, 3) if self.shape == "picture" else self.shape


_NORMALISED = "table frame x, y divided by half_side_m"
ARRAYS: dict[str, ArraySpec] = {
    "location_start": ArraySpec(
        dtype="float32", shape=(2,), unit=f"measured in the picture before: {_NORMALISED}"
    ),
    "push_start": ArraySpec(
        dtype="float32", shape=(2,), unit=f"where the stick begins: {_NORMALISED}"
    ),
    "push_end": ArraySpec(dtype="float32", shape=(2,), unit=f"where the stick ends: {_NORMALISED}"),
    "location_end": ArraySpec(
        dtype="float32",
        shape=(2,),
        unit=f"measured in the picture after: {_NORMALISED}; NaN: not seen",
    ),
    "object": ArraySpec(
        dtype="int16", shape=(), unit="index into the objects, those to train on first"
    ),
    "number": ArraySpec(dtype="int32", shape=(), unit="running number among the object's pushes"),
    "truth_start": ArraySpec(
        dtype="float32", shape=(3,), unit="x, y of the object's origin [m], yaw [rad]"
    ),
    "truth_end": ArraySpec(
        dtype="float32", shape=(3,), unit="x, y of the object's origin [m], yaw [rad]"
    ),
    "upright": ArraySpec(
        dtype="float32", shape=(), unit="cosine between the object's own up and the vertical, after"
    ),
    "rested": ArraySpec(dtype="bool", shape=(), unit="the object came to rest in time"),
    "before": ArraySpec(dtype="uint8", shape="picture", unit="RGB, right is +x, down is -y"),
    "after": ArraySpec(dtype="uint8", shape="picture", unit="RGB, right is +x, down is -y"),
}
"""The arrays of a data set, a row for each push."""

PICTURES = ("before", "after")


class ArrayFacts(Settings):
    """One array as written."""

    dtype: str = Field(description="NumPy's name of the type")
    shape: tuple[int, ...] = Field(description="rows first")
    unit: str = Field(description="of its numbers")
    crc32: str = Field(pattern=r"^[0-9a-f]{8}$", description="of its bytes in C order")


class Manifest(Settings):
    """What `pushes.json` says."""

    format_version: int = Field(description="of this layout")
    plan: dict[str, Any] = Field(description="seed, settings, objects and versions it was made by")
    objects: tuple[str, ...] = Field(min_length=1, description="names by index")
    train_objects: tuple[str, ...] = Field(description="of set A")
    test_objects: tuple[str, ...] = Field(description="of set B")
    half_side_m: float = Field(gt=0.0, description="metres of one normalised unit")
    frame: str = Field(description="origin and axes of the coordinates")
    statistics: dict[str, float] = Field(description="of the pushes, for a person")
    arrays: dict[str, ArrayFacts] = Field(description="by name")


@dataclass(frozen=True, kw_only=True, slots=True)
class PushSet:
    """A pushing data set, its arrays mapped from disk; n rows, a push each.

    Attributes:
        path: of its folder.
        manifest: what it says of itself.
        location_start, push_start, push_end, location_end: (n, 2) float32, in units of
            `manifest.half_side_m`; `location_end` is NaN where the object was not seen.
        object: (n,) int16, index into `manifest.objects`.
        number: (n,) int32, running number among the object's pushes.
        truth_start, truth_end: (n, 3) float32, x, y [m] and yaw [rad].
        upright: (n,) float32, 1 standing as placed, 0 lying.
        rested: (n,) bool.
        before, after: (n, pixels, pixels, 3) uint8, red, green, blue.
    """

    path: Path
    manifest: Manifest
    location_start: NDArray[np.float32]
    push_start: NDArray[np.float32]
    push_end: NDArray[np.float32]
    location_end: NDArray[np.float32]
    object: NDArray[np.int16]
    number: NDArray[np.int32]
    truth_start: NDArray[np.float32]
    truth_end: NDArray[np.float32]
    upright: NDArray[np.float32]
    rested: NDArray[np.bool_]
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]

    @classmethod
    def open(cls, path: Path, *, verify_pictures: bool = False) -> "PushSet":
        """Map a data set and check it: types, shapes, and the CRC-32 of all but the pictures.

        Args:
            path: its folder.
            verify_pictures: read the pictures too and check theirs.

        Raises:
            FormatError: it is missing, unfinished, damaged, or of another format.
        """
        manifest = _read_manifest(path)
        arrays = {name: _open_array(path, name, manifest) for name in ARRAYS}
        for name, array in arrays.items():
            if verify_pictures or name not in PICTURES:
                _check_crc(path, name, array, manifest)
        labels = arrays["object"]
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(manifest.objects):
            raise FormatError(
                f"{path}: expected object indices 0 .. {len(manifest.objects) - 1}, got "
                f"{int(labels.min())} .. {int(labels.max())}"
            )
        return cls(path=path, manifest=manifest, **arrays)

    def __len__(self) -> int:
        return len(self.object)

    def rows(self, part: Literal["train", "test"]) -> NDArray[np.int64]:
        """Return the rows of the objects of set A ("train") or of set B ("test")."""
        of_train = np.asarray(self.object) < len(self.manifest.train_objects)
        return np.flatnonzero(of_train if part == "train" else ~of_train)


def crc32_of(array: NDArray[Any]) -> str:
    """Return the CRC-32 of an array's bytes in C order, 8 hexadecimal digits."""
    rows = max(1, _CHUNK_BYTES // max(1, array[:1].nbytes))
    crc = 0
    for first in range(0, len(array), rows):
        crc = zlib.crc32(np.ascontiguousarray(array[first : first + rows]).data, crc)
    return f"{crc:08x}"


def _read_manifest(path: Path) -> Manifest:
    file = path / MANIFEST
    try:
        text = file.read_bytes()
    except OSError as error:
        raise FormatError(
            f"expected a pushing data set at {path}, but there is no {MANIFEST} "
            f"({error.strerror}): it is the last file that `tiltbot generate-pushes` writes"
        ) from error
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise FormatError(f"{file}: not a manifest of pushes: {explain(error)}") from error
    if manifest.format_version != FORMAT_VERSION:
        raise FormatError(
            f"{file}: expected format {FORMAT_VERSION}, got {manifest.format_version}: make the "
            f"data set again"
        )
    missing = sorted(set(ARRAYS) - set(manifest.arrays))
    if missing:
        raise FormatError(f"{file}: expected the arrays {', '.join(ARRAYS)}; missing: {missing}")
    return manifest


def _open_array(path: Path, name: str, manifest: Manifest) -> NDArray[Any]:
    file = path / f"{name}.npy"
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise FormatError(f"{file}: expected an array, cannot read it: {error}") from error
    facts = manifest.arrays[name]
    if array.dtype != np.dtype(ARRAYS[name].dtype) or array.shape != facts.shape:
        raise FormatError(
            f"{file}: expected {ARRAYS[name].dtype} {facts.shape}, got {array.dtype} {array.shape}"
        )
    return np.asarray(array)


def _check_crc(path: Path, name: str, array: NDArray[Any], manifest: Manifest) -> None:
    expected, got = manifest.arrays[name].crc32, crc32_of(array)
    if got != expected:
        raise FormatError(
            f"{path / name}.npy: expected CRC-32 {expected}, got {got}: the file was damaged or "
            f"exchanged; copy it again, or make the data set again"
        )
