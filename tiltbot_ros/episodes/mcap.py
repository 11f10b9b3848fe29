"""The messages of an MCAP file, as they lie in it: no index, no deserialising.

Format: https://mcap.dev/spec. Reading an episode through rosbags costs 30 ms,
most of it for the qualities of service of every topic; this takes 3 ms. Sizes
that a file claims are not believed: no more memory is taken than the limits
below, whatever the file says.
"""

import sys
import zlib
from collections.abc import Collection
from dataclasses import dataclass, field
from importlib import import_module
from struct import Struct

from tiltbot_ros.errors import EpisodeError

_MAGIC = b"\x89MCAP0\r\n"
_RECORD = Struct("<BQ")
_MESSAGE = Struct("<HIQQ")
_CHUNK = Struct("<QQQI")
_U16 = Struct("<H")
_U32 = Struct("<I")
_U64 = Struct("<Q")

_FOOTER, _SCHEMA, _CHANNEL, _MESSAGE_RECORD, _CHUNK_RECORD, _DATA_END = 2, 3, 4, 5, 6, 15

LARGEST_CHUNK = 1 << 28
"""Of one chunk, unpacked; writers make chunks of megabytes [B]."""

LARGEST_BAG = 1 << 32
"""Of all chunks of a file, unpacked [B]."""

# Both come with rosbags, which itself unpacks chunks of any size.
_zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
_UNPACKERS = {
    "zstd": _zstd.ZstdDecompressor,
    "lz4": import_module("lz4.frame").LZ4FrameDecompressor,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class BagTopic:
    """The messages of a topic.

    Attributes:
        type: of its messages, as in the file.
        messages: serialised, in the order of the file; views of its bytes.
        logged_ns: when each was logged [ns].
    """

    type: str
    messages: list[memoryview]
    logged_ns: list[int] = field(default_factory=list)


def read_topics(data: bytes, names: Collection[str] | None = None) -> dict[str, BagTopic]:
    """Return the messages of the named topics that an MCAP file has.

    Args:
        data: the whole file.
        names: of the topics; None: all.

    Raises:
        EpisodeError: it is no MCAP file, or it is corrupt.
    """
    if data[:8] != _MAGIC or data[-8:] != _MAGIC or len(data) < 2 * len(_MAGIC):
        raise EpisodeError("expected an MCAP file that begins and ends with its magic bytes")
    index = _Index(names)
    index.add(memoryview(data)[8:-8])
    return index.topics


class _Index:
    def __init__(self, names: Collection[str] | None) -> None:
        self.topics: dict[str, BagTopic] = {}
        self._names = names
        self._schemas: dict[int, str] = {}
        self._channels: dict[int, BagTopic | None] = {}
        self._unpacked = 0

    def add(self, data: memoryview, *, chunk: bool = False) -> None:
        """Take the records of a file up to its summary, or those of a chunk."""
        position, end = 0, len(data)
        while position < end:
            if position + _RECORD.size > end:
                raise EpisodeError("expected a whole record, the file ends within one")
            kind, length = _RECORD.unpack_from(data, position)
            start = position + _RECORD.size
            position = start + length
            if position > end:
                raise EpisodeError(
                    f"expected a record within the file, got one of {length} bytes where "
                    f"{end - start} are left"
                )
            if kind == _MESSAGE_RECORD:
                self._add_message(data, start, position)
            elif kind == _SCHEMA:
                self._add_schema(data[start:position])
            elif kind == _CHANNEL:
                self._add_channel(data[start:position])
            elif kind == _CHUNK_RECORD and not chunk:
                self._add_chunk(data[start:position])
            elif kind in (_DATA_END, _FOOTER):
                return

    def _add_message(self, data: memoryview, start: int, end: int) -> None:
        if end - start < _MESSAGE.size:
            raise EpisodeError(f"expected a message, got a record of {end - start} bytes")
        channel, _, logged_ns, _ = _MESSAGE.unpack_from(data, start)
        if channel not in self._channels:
            raise EpisodeError(f"expected a known channel, got a message of channel {channel}")
        topic = self._channels[channel]
        if topic is not None:
            topic.messages.append(data[start + _MESSAGE.size : end])
            topic.logged_ns.append(logged_ns)

    def _add_chunk(self, content: memoryview) -> None:
        chunk = _unpacked(content)
        self._unpacked += len(chunk)
        if self._unpacked > LARGEST_BAG:
            raise EpisodeError(f"expected chunks of at most {LARGEST_BAG} bytes together")
        self.add(memoryview(chunk), chunk=True)

    def _add_schema(self, content: memoryview) -> None:
        self._schemas[_U16.unpack_from(content)[0]], _ = _text(content, 2)

    def _add_channel(self, content: memoryview) -> None:
        (number,) = _U16.unpack_from(content)
        (schema,) = _U16.unpack_from(content, 2)
        name, end = _text(content, 4)
        encoding, _ = _text(content, end)
        if self._names is not None and name not in self._names:
            self._channels[number] = None
            return
        if encoding != "cdr" or schema not in self._schemas:
            raise EpisodeError(f"expected {name} in CDR with a type, got '{encoding}'")
        told = self._schemas[schema]
        topic = self.topics.setdefault(name, BagTopic(type=told, messages=[]))
        if topic.type != told:
            raise EpisodeError(f"expected one type on {name}, got {topic.type} and {told}")
        self._channels[number] = topic


def _unpacked(chunk: memoryview) -> bytes:
    _, _, size, crc = _CHUNK.unpack_from(chunk)
    way, position = _text(chunk, _CHUNK.size)
    (length,) = _U64.unpack_from(chunk, position)
    packed = chunk[position + 8 :]
    if length != len(packed) or size > LARGEST_CHUNK:
        raise EpisodeError(
            f"expected a chunk of at most {LARGEST_CHUNK} bytes that fills its record, got "
            f"{size} bytes packed in {length} of {len(packed)}"
        )
    if way and way not in _UNPACKERS:
        raise EpisodeError(f"expected chunks packed with {', '.join(_UNPACKERS)}, got {way!r}")
    data: bytes = _UNPACKERS[way]().decompress(packed, size + 1) if way else bytes(packed)
    if len(data) != size or (crc and zlib.crc32(data) != crc):
        raise EpisodeError(
            f"expected a chunk of {size} bytes with checksum {crc:08x}, got {len(data)} bytes or "
            "another checksum"
        )
    return data


def _text(data: memoryview, position: int) -> tuple[str, int]:
    (length,) = _U32.unpack_from(data, position)
    end = position + 4 + length
    if end > len(data):
        raise EpisodeError(f"expected a text within its record, got one of {length} bytes")
    return str(data[position + 4 : end], "utf-8"), end
