"""The `.npy` files of a store, written as a stream and read as memory maps.

A header is never parsed: what it must be follows from the index, so it is
compared byte by byte. Nothing is ever unpickled.
"""

import io
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from policy_ros.data.store_settings import ArraySpec
from tiltbot_ros.errors import StoreError

_CHUNK = 1 << 22
_AGAIN = "remove the store and convert the bags again"


def header(spec: ArraySpec, rows: int) -> bytes:
    """Return the header of an `.npy` file; its length does not depend on the rows."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream,
        {
            "descr": np.lib.format.dtype_to_descr(spec.dtype),
            "fortran_order": False,
            "shape": (rows, *spec.row),
        },
    )
    return stream.getvalue()


class ArrayWriter:
    """Writes an array row by row.

    Args:
        folder: of the shard.
        spec: of the array.

    Attributes:
        crc32: of the rows so far, without the header.
    """

    def __init__(self, folder: Path, spec: ArraySpec) -> None:
        self._spec = spec
        self._stream = (folder / f"{spec.name}.npy").open("wb")
        self._stream.write(header(spec, 0))
        self.crc32 = 0
        self._rows = 0

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Write rows, (n, ...) in the array's type.

        Raises:
            OSError: the disk is full.
        """
        data = np.ascontiguousarray(rows).data.cast("B")
        self._stream.write(data)
        self.crc32 = zlib.crc32(data, self.crc32)
        self._rows += len(rows)

    def finish(self) -> None:
        """Write the header for the rows there are, and have all of it on disk."""
        self._stream.seek(0)
        self._stream.write(header(self._spec, self._rows))
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()

    def close(self) -> None:
        """Let go of the file, finished or not."""
        self._stream.close()


def open_array(file: Path, spec: ArraySpec, rows: int) -> npt.NDArray[Any]:
    """Return an array as a read-only memory map.

    Raises:
        StoreError: the file is missing, cut short, or not this array.
    """
    expected = header(spec, rows)
    size = len(expected) + rows * spec.row_bytes
    try:
        found = file.stat().st_size
        with file.open("rb") as stream:
            start = stream.read(len(expected))
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}: {_AGAIN}") from error
    if found != size:
        raise StoreError(f"{file}: expected {size} bytes, got {found}: {_AGAIN}")
    if start != expected:
        raise StoreError(
            f"{file}: expected the header of {spec.dtype.str} ({rows}, "
            f"{', '.join(map(str, spec.row))}): the file is corrupt; {_AGAIN}"
        )
    mapped = np.memmap(file, spec.dtype, "r", len(expected), (rows, *spec.row))
    # The base class gathers faster than its subclass.
    return np.asarray(mapped)


def check_crc32(file: Path, array: npt.NDArray[Any], expected: int) -> None:
    """Read an array's data and compare it with its checksum.

    Raises:
        StoreError: they differ; the text names the file.
    """
    data = array.reshape(-1).view(np.uint8).data
    found = 0
    for start in range(0, len(data), _CHUNK):
        found = zlib.crc32(data[start : start + _CHUNK], found)
    if found != expected:
        raise StoreError(
            f"{file}: expected the CRC-32 {expected:08x}, got {found:08x}: the file is corrupt; "
            f"{_AGAIN}"
        )
