"""Read what the recorder needs of a serialised message, without deserialising it.

A raw message is the CDR stream of the ROS 2 middleware: four bytes of
encapsulation (the second is 1 for little and 0 for big endian), then the
fields, each aligned to its own size counted from the fifth byte.
"""

from dataclasses import dataclass
from struct import Struct, error
from typing import Any

import numpy as np

from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat

NS_PER_S = 1_000_000_000

_STAMP = {0: Struct(">iII"), 1: Struct("<iII")}
_AUDIO = {0: Struct(">QIHxxIBxxxI"), 1: Struct("<QIHxxIBxxxI")}
_LENGTH = {0: Struct(">I"), 1: Struct("<I")}
_LITTLE_ENDIAN = bytes((0, 1, 0, 0))
_ENCAPSULATION = 4
_LAST_SAMPLE = (1 << 63) - (1 << 32)
_HEADER_END = _ENCAPSULATION + 12


@dataclass(frozen=True, kw_only=True, slots=True)
class AudioMessage:
    """A ContactAudio message, read.

    Attributes:
        format: rate, channels and bits that the message claims.
        block: the sound; its samples are a read-only view of the raw bytes.
        frame_id: frame of the header.
    """

    format: AudioFormat
    block: AudioBlock
    frame_id: str


def header_stamp_ns(data: bytes) -> int:
    """Return the header stamp of a raw message whose first field is a `std_msgs/Header` [ns].

    Raises:
        EpisodeError: the bytes are no CDR stream that begins with a header.
    """
    endian = _endian(data)
    if len(data) < _HEADER_END:
        raise EpisodeError(
            f"expected a message with a header (16 bytes or more), got {len(data)} bytes"
        )
    sec, nanosec, length = _STAMP[endian].unpack_from(data, _ENCAPSULATION)
    if nanosec >= NS_PER_S or length > len(data) - _HEADER_END:
        raise EpisodeError(
            f"expected a header, got nanosec {nanosec} and a frame_id of {length} bytes "
            f"in a message of {len(data)} bytes: is a std_msgs/Header its first field?"
        )
    return int(sec) * NS_PER_S + int(nanosec)


def read_audio(data: bytes) -> AudioMessage:
    """Read a raw ContactAudio message; the samples are not copied.

    Raises:
        EpisodeError: the bytes are no ContactAudio message.
    """
    stamp_ns = header_stamp_ns(data)
    endian = data[1]
    (length,) = _LENGTH[endian].unpack_from(data, _ENCAPSULATION + 8)
    position = _align(_HEADER_END + length, 8)
    try:
        first, rate, channels, xruns, bits, count16 = _AUDIO[endian].unpack_from(data, position)
        start16 = position + _AUDIO[endian].size
        position32 = _align(start16 + 2 * count16, 4)
        (count32,) = _LENGTH[endian].unpack_from(data, position32)
    except error as short:
        raise EpisodeError(
            f"expected a whole ContactAudio message, got {len(data)} bytes: {short}"
        ) from short
    start, count, width = position32 + 4, count32, 4
    if bits == 16:
        start, count, width = start16, count16, 2
    if bits not in (16, 24) or channels < 1 or rate < 1 or (count16 and count32):
        raise EpisodeError(
            "expected ContactAudio of 16 or 24 bits, one channel or more and one array of "
            f"samples, got bits={bits} channels={channels} sample_rate={rate} "
            f"data16[{count16}] data32[{count32}]"
        )
    if first > _LAST_SAMPLE:
        raise EpisodeError(f"expected a running index of the first frame, got {first}")
    if count % channels or start + width * count > len(data):
        raise EpisodeError(
            f"expected whole frames of {channels} channels within {len(data)} bytes, "
            f"got {count} samples of {width} bytes at byte {start}"
        )
    dtype = np.dtype(f"{'<' if endian else '>'}i{width}")
    samples = np.frombuffer(data, dtype, count, start).reshape(-1, channels)
    if not dtype.isnative:
        samples = samples.astype(dtype.newbyteorder("="))
    return AudioMessage(
        format=AudioFormat(sample_rate=rate, channels=channels, bits=bits),
        block=AudioBlock(stamp_ns=stamp_ns, first_sample=first, samples=samples, xruns=xruns),
        frame_id=data[_HEADER_END : _HEADER_END + max(length - 1, 0)].decode("utf-8", "replace"),
    )


def write_audio(block: AudioBlock, audio_format: AudioFormat, frame_id: str) -> bytes:
    """Serialise a block as a ContactAudio message, as rclpy does (with zeros as padding)."""
    samples = np.ascontiguousarray(block.samples, audio_format.dtype.newbyteorder("<"))
    frame = frame_id.encode() + b"\0"
    wide = audio_format.bits != 16
    sec, nanosec = divmod(block.stamp_ns, NS_PER_S)
    head = _LITTLE_ENDIAN + _STAMP[1].pack(sec, nanosec, len(frame)) + frame
    head += bytes(_align(len(head), 8) - len(head)) + _AUDIO[1].pack(
        block.first_sample,
        audio_format.sample_rate,
        audio_format.channels,
        block.xruns,
        audio_format.bits,
        0 if wide else samples.size,
    )
    if wide:
        return head + _LENGTH[1].pack(samples.size) + samples.tobytes()
    body = samples.tobytes()
    end = len(head) + len(body)
    return b"".join((head, body, bytes(_align(end, 4) - end), _LENGTH[1].pack(0)))


def make_time(stamp_ns: int) -> Any:
    """Return a `builtin_interfaces/Time` of the rosbags store."""
    sec, nanosec = divmod(stamp_ns, NS_PER_S)
    return typestore().types["builtin_interfaces/msg/Time"](sec=sec, nanosec=nanosec)


def make_header(stamp_ns: int, frame_id: str) -> Any:
    """Return a `std_msgs/Header` of the rosbags store."""
    return typestore().types["std_msgs/msg/Header"](stamp=make_time(stamp_ns), frame_id=frame_id)


def time_ns(time: Any) -> int:
    """Return a deserialised `builtin_interfaces/Time` in ns."""
    return int(time.sec) * NS_PER_S + int(time.nanosec)


def _endian(data: bytes) -> int:
    if len(data) < _ENCAPSULATION or data[0] != 0 or data[1] > 1:
        raise EpisodeError(
            f"expected a plain CDR stream (00 00 or 00 01 first), got {bytes(data[:4]).hex(' ')}"
        )
    return data[1]


def _align(position: int, size: int) -> int:
    return position + (_ENCAPSULATION - position) % size
