"""Look at the sizes that an MCAP file claims, before a library believes them.

rosbags makes room for a chunk as its header says. What is damaged otherwise is
the reader's to find, message by message, so that all before it can be had.
"""

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from struct import Struct
from typing import BinaryIO

from tiltbot_ros.episodes.mcap import LARGEST_CHUNK
from tiltbot_ros.errors import EpisodeError

_MAGIC_BYTES = 8
_RECORD = Struct("<BQ")
_FOOTER = Struct("<BQQQI")
_CHUNK = Struct("<QQQI")
_CHUNK_INDEX = Struct("<QQQ")
_U32 = Struct("<I")

_FOOTER_RECORD, _CHUNK_RECORD, _INDEX_RECORD = 2, 6, 8

_CHUNK_HEAD = 80
"""Of a chunk: enough for its sizes, the name of its compression and a zstd frame's header [B]."""

# It comes with rosbags.
_zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


def check_sizes(path: Path) -> None:
    """Look whether the sizes that an MCAP file claims of its chunks can be.

    Chunks are found as rosbags finds them: through the index at the end of
    the file, or, where there is none, one record after the other.

    Raises:
        EpisodeError: a chunk would take more than `LARGEST_CHUNK`, or what
            leads to the chunks is cut short or corrupt.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END) - _MAGIC_BYTES
        start = _summary(file, end)
        indexed = _MAGIC_BYTES < start < end
        for kind, position in _records(file, start if indexed else _MAGIC_BYTES, end):
            if indexed and kind == _INDEX_RECORD:
                head = _read(file, position, _CHUNK_INDEX.size)
                if len(head) == _CHUNK_INDEX.size:
                    _check_chunk(file, _CHUNK_INDEX.unpack(head)[2])
            elif kind == _CHUNK_RECORD:
                _check_chunk(file, position - _RECORD.size)


def _summary(file: BinaryIO, end: int) -> int:
    """Return where the index begins, 0 without one."""
    head = _read(file, end - _FOOTER.size, _FOOTER.size)
    if len(head) < _FOOTER.size:
        return 0
    kind, _, start, _, _ = _FOOTER.unpack(head)
    return int(start) if kind == _FOOTER_RECORD else 0


def _records(file: BinaryIO, position: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield kind and position of the content of every record."""
    while position < end:
        head = _read(file, position, _RECORD.size)
        if len(head) < _RECORD.size:
            raise EpisodeError(f"expected a whole record at byte {position}, the file ends")
        kind, length = _RECORD.unpack(head)
        content = position + _RECORD.size
        position = content + length
        if position > end:
            raise EpisodeError(
                f"expected records within the file, got one of {length} bytes that ends "
                f"{position - end} bytes behind it: the file is cut short or corrupt"
            )
        yield kind, content


def _check_chunk(file: BinaryIO, position: int) -> None:
    head = _read(file, position, _RECORD.size + _CHUNK_HEAD)
    if len(head) < _RECORD.size + _CHUNK.size + _U32.size or head[0] != _CHUNK_RECORD:
        return  # no chunk: reading will say so
    content = head[_RECORD.size :]
    size = _CHUNK.unpack_from(content)[2]
    (length,) = _U32.unpack_from(content, _CHUNK.size)
    name = content[_CHUNK.size + _U32.size :][:length]
    told: int | None = size
    if name == b"zstd":
        try:
            frame = content[_CHUNK.size + _U32.size + length + 8 :]
            told = _zstd.get_frame_info(frame).decompressed_size
        except _zstd.ZstdError:
            return  # as above
    if size > LARGEST_CHUNK or (told is not None and told > LARGEST_CHUNK):
        raise EpisodeError(f"expected chunks of at most {LARGEST_CHUNK} bytes, got one of {size}")


def _read(file: BinaryIO, position: int, size: int) -> bytes:
    if position < 0:
        return b""
    file.seek(position)
    return file.read(size)
