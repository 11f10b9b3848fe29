"""A ring of samples between a real-time callback and the thread that reads it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """What one callback delivered.

    Attributes:
        samples: (frames, channels) float32, a view into the ring that is valid
            until the next call of `SampleRing.release`.
        host_ns: monotonic time of the first frame's acquisition, as the callback
            estimated it [ns].
        lost_frames: frames lost before this chunk because the ring was full.
        overflow: the device reported lost frames before this chunk.
    """

    samples: npt.NDArray[np.float32]
    host_ns: int
    lost_frames: int
    overflow: bool


class SampleRing:
    """A preallocated ring for one writer and one reader, without a lock.

    Each side writes only its own running counter, after the data it speaks of;
    CPython makes such a store visible whole and in order. A chunk that does not
    fit is dropped, and the next one that does carries the number of frames lost.

    A chunk lies in the ring in one piece: where it would run over the end, it
    begins at the start, and the frames before the end stay unused.

    Args:
        frames: capacity in frames.
        channels: samples in a frame.
        chunks: capacity in chunks.
    """

    def __init__(self, *, frames: int, channels: int, chunks: int = 4096) -> None:
        self._samples = np.zeros((frames, channels), np.float32)
        # Columns: start, frames, frames of the ring used up, host time, lost, overflow.
        self._chunks = np.zeros((chunks, 6), np.int64)
        self._capacity = frames
        self._written_frames = 0
        self._written_chunks = 0
        self._read_frames = 0
        self._read_chunks = 0
        self._lost = 0
        self._overflow = False

    @property
    def fill(self) -> float:
        """Used part of the ring, in [0, 1]."""
        return (self._written_frames - self._read_frames) / self._capacity

    def write(self, samples: npt.NDArray[np.float32], *, host_ns: int, overflow: bool) -> None:
        """Copy one chunk in, or count it as lost. For the writer alone.

        Args:
            samples: (frames, channels) float32.
            host_ns: monotonic time of the first frame's acquisition [ns].
            overflow: the device reported lost frames before this chunk.
        """
        frames = len(samples)
        start = self._written_frames % self._capacity
        unused = self._capacity - start if start + frames > self._capacity else 0
        used = frames + unused
        free = self._capacity - (self._written_frames - self._read_frames)
        full = self._written_chunks - self._read_chunks >= len(self._chunks)
        self._overflow = self._overflow or overflow
        if used > free or full or frames > self._capacity:
            self._lost += frames
            return
        begin = 0 if unused else start
        self._samples[begin : begin + frames] = samples
        row = self._chunks[self._written_chunks % len(self._chunks)]
        row[0] = begin
        row[1] = frames
        row[2] = used
        row[3] = host_ns
        row[4] = self._lost
        row[5] = self._overflow
        self._lost = 0
        self._overflow = False
        self._written_frames += used
        self._written_chunks += 1

    def read(self) -> Chunk | None:
        """Return the oldest chunk, or None. For the reader alone; `release` it after use."""
        if self._read_chunks == self._written_chunks:
            return None
        begin, frames, _, host_ns, lost, overflow = self._chunks[
            self._read_chunks % len(self._chunks)
        ].tolist()
        return Chunk(
            samples=self._samples[begin : begin + frames],
            host_ns=host_ns,
            lost_frames=lost,
            overflow=bool(overflow),
        )

    def release(self) -> None:
        """Give the oldest chunk's place back. For the reader alone."""
        row = self._chunks[self._read_chunks % len(self._chunks)]
        self._read_frames += int(row[2])
        self._read_chunks += 1
