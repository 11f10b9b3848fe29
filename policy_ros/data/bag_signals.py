"""Serialised sound and poses as arrays, all messages of a topic at once.

The messages of a steady stream are laid out alike, so that one look at the
first tells where the fields of all of them lie. Streams that are not steady go
message by message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from tiltbot_ros.episodes.cdr import NS_PER_S, header_stamp_ns, read_audio
from tiltbot_ros.episodes.typestore import POSE_TYPE, typestore
from tiltbot_ros.errors import EpisodeError

Stamps = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]

_BODY = 16
"""Where a header's frame_id begins: encapsulation, stamp and its length lie before."""

_CLOCK_S = 0.1
"""Stamps that stray further from the running index of the frames are a clock that jumped [s]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Track:
    """The sound of an episode, without holes.

    Attributes:
        samples: (frames, channels) int16, or int32 for 24 bits; silence where frames were lost.
        first_stamp_ns: time of the first frame [ns].
        first_sample: running index of the first frame.
        sample_rate: [Hz].
        full_scale: magnitude of digital full scale.
        missing: frames that were lost.
    """

    samples: npt.NDArray[np.int16] | npt.NDArray[np.int32]
    first_stamp_ns: int
    first_sample: int
    sample_rate: int
    full_scale: int
    missing: int


def read_track(messages: Sequence[memoryview]) -> Track:
    """Return the sound of ContactAudio messages, in any order.

    Raises:
        EpisodeError: there is none, it changes its format, frames come twice, or the clock jumps.
    """
    if not messages:
        raise EpisodeError("expected sound, got no message")
    stamps, firsts, counts, samples, rate, bits = _alike(messages) or _one_by_one(messages)
    order = np.argsort(firsts, kind="stable")
    if (np.diff(order) < 0).any():
        stamps, firsts, counts, samples = _sorted(order, stamps, firsts, counts, samples)
    gaps = firsts[1:] - (firsts[:-1] + counts[:-1])
    if (gaps < 0).any():
        raise EpisodeError(
            f"expected every frame of sound once, got frame {firsts[1:][gaps < 0][0]} again: the "
            "device was started anew within the episode"
        )
    strayed = (stamps - stamps[0]) / NS_PER_S - (firsts - firsts[0]) / rate
    if np.abs(strayed).max() > _CLOCK_S:
        worst = int(np.abs(strayed).argmax())
        raise EpisodeError(
            f"expected stamps that follow the frames of sound within {_CLOCK_S} s, got "
            f"{strayed[worst]:+.3f} s at frame {firsts[worst]}: the clock jumped"
        )
    missing = int(gaps.sum())
    if missing:
        if missing > len(samples):
            raise EpisodeError(
                f"expected sound with small holes, got {missing} frames lost and {len(samples)} "
                "recorded"
            )
        places = np.repeat(firsts - firsts[0] - np.cumsum([0, *counts[:-1]]), counts)
        whole = np.zeros((len(samples) + missing, samples.shape[1]), samples.dtype)
        whole[places + np.arange(len(samples))] = samples
        samples = whole
    return Track(
        samples=samples,
        first_stamp_ns=int(stamps[0]),
        first_sample=int(firsts[0]),
        sample_rate=rate,
        full_scale=1 << (bits - 1),
        missing=missing,
    )


def read_rotations(messages: Sequence[memoryview]) -> tuple[Stamps, Floats]:
    """Return stamps (n,) and rotation vectors (n, 3) of PoseStamped messages, by stamp [ns, rad].

    Raises:
        EpisodeError: a message is no PoseStamped, or its rotation is none.
    """
    rows = _same_layout(messages)
    if rows is not None and _body(rows) + 56 == rows.shape[1]:
        stamps = _stamps(rows)
        quaternions = _columns(rows, rows.shape[1] - 32, "<f8", 4).astype(np.float64)
    else:
        poses = [_pose(message) for message in messages]
        stamps = np.array([stamp for stamp, _ in poses], np.int64)
        quaternions = np.array([quaternion for _, quaternion in poses], np.float64).reshape(-1, 4)
    sensible = bool((np.abs(quaternions) < 2.0).all())
    if not sensible or not np.allclose(np.linalg.norm(quaternions, axis=1), 1.0, atol=1e-3):
        raise EpisodeError("expected poses with unit quaternions, got others")
    order = np.argsort(stamps, kind="stable")
    return stamps[order], Rotation.from_quat(quaternions[order]).as_rotvec()


_Blocks = tuple[Stamps, Stamps, Stamps, npt.NDArray[Any], int, int]


def _alike(messages: Sequence[memoryview]) -> _Blocks | None:
    """Return stamps, first frames, counts, samples, rate and bits of blocks of 16 bits alike."""
    rows = _same_layout(messages)
    if rows is None:
        return None
    place = _align(_BODY + _length(rows), 8)
    if rows.shape[1] < place + 32:
        return None
    format_fields = rows[:, place + 8 : place + 14]
    bits = rows[:, place + 20]
    count = _columns(rows, place + 24, "<u4", 1)[:, 0]
    if (format_fields != format_fields[0]).any() or (bits != 16).any() or (count != count[0]).any():
        return None
    rate = int(_columns(rows, place + 8, "<u4", 1)[0, 0])
    channels = int(_columns(rows, place + 12, "<u2", 1)[0, 0])
    start, stop = place + 28, place + 28 + 2 * int(count[0])
    behind = _align(stop, 4)
    if rate < 1 or channels < 1 or int(count[0]) % channels or rows.shape[1] != behind + 4:
        return None
    if _columns(rows, behind, "<u4", 1).any():
        return None
    samples = _columns(rows, start, "<i2", int(count[0])).reshape(-1, channels)
    frames = np.full(len(rows), int(count[0]) // channels, np.int64)
    return _stamps(rows), _indices(rows, place), frames, samples, rate, 16


def _one_by_one(messages: Sequence[memoryview]) -> _Blocks:
    blocks = [read_audio(bytes(message)) for message in messages]
    formats = {block.format for block in blocks}
    if len(formats) > 1:
        told = sorted(f"{f.sample_rate} Hz, {f.channels} channels, {f.bits} bits" for f in formats)
        raise EpisodeError(f"expected sound of one format, got {' and '.join(told)}")
    (form,) = formats
    firsts = [block.block.first_sample for block in blocks]
    if max(firsts) > np.iinfo(np.int64).max:
        raise EpisodeError(f"expected running indices of frames, got {max(firsts)}")
    return (
        np.array([block.block.stamp_ns for block in blocks], np.int64),
        np.array(firsts, np.int64),
        np.array([len(block.block.samples) for block in blocks], np.int64),
        np.concatenate([block.block.samples for block in blocks]),
        form.sample_rate,
        form.bits,
    )


def _sorted(
    order: npt.NDArray[np.intp],
    stamps: Stamps,
    firsts: Stamps,
    counts: Stamps,
    samples: npt.NDArray[Any],
) -> tuple[Stamps, Stamps, Stamps, npt.NDArray[Any]]:
    parts = np.split(samples, np.cumsum(counts)[:-1])
    joined = np.concatenate([parts[index] for index in order])
    return stamps[order], firsts[order], counts[order], joined


def _same_layout(messages: Sequence[memoryview]) -> Bytes | None:
    """Return the messages as rows, when all are little endian, as long, and of one frame_id."""
    length = len(messages[0]) if messages else 0
    if length < _BODY or any(len(message) != length for message in messages):
        return None
    rows = np.frombuffer(b"".join(messages), np.uint8).reshape(-1, length)
    if (rows[:, :2] != (0, 1)).any() or _length(rows) > length - _BODY:
        return None
    names = rows[:, 12 : _BODY + _length(rows)]
    return None if (names != names[0]).any() else rows


def _length(rows: Bytes) -> int:
    return int.from_bytes(rows[0, 12:_BODY].tobytes(), "little")


def _body(rows: Bytes) -> int:
    return _align(_BODY + _length(rows), 8)


def _align(position: int, size: int) -> int:
    return position + (4 - position) % size


def _columns(rows: Bytes, start: int, dtype: str, count: int) -> npt.NDArray[Any]:
    width = np.dtype(dtype).itemsize * count
    return np.ascontiguousarray(rows[:, start : start + width]).view(dtype)


def _stamps(rows: Bytes) -> Stamps:
    seconds = _columns(rows, 4, "<i4", 1)[:, 0].astype(np.int64)
    nanoseconds = _columns(rows, 8, "<u4", 1)[:, 0].astype(np.int64)
    if (nanoseconds >= NS_PER_S).any():
        raise EpisodeError(f"expected stamps, got {nanoseconds.max()} ns in a second")
    return np.asarray(seconds * NS_PER_S + nanoseconds, np.int64)


def _indices(rows: Bytes, place: int) -> Stamps:
    firsts = _columns(rows, place, "<u8", 1)[:, 0]
    if (firsts > np.iinfo(np.int64).max).any():
        raise EpisodeError(f"expected running indices of frames, got {firsts.max()}")
    return firsts.astype(np.int64)


def _pose(message: memoryview) -> tuple[int, tuple[float, float, float, float]]:
    data = bytes(message)
    message_of_pose: Any = typestore().deserialize_cdr(data, POSE_TYPE)
    orientation = message_of_pose.pose.orientation
    return header_stamp_ns(data), (orientation.x, orientation.y, orientation.z, orientation.w)
