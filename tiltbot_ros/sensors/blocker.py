"""Cuts sound into blocks: the one place where stamps and counters are made."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tiltbot_ros.errors import AudioError
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat

AudioSink = Callable[[AudioBlock], None]

_NS = 1_000_000_000


class Timebase(Protocol):
    """Tells when a frame was acquired."""

    def stamp_ns(self, frame: int) -> int:
        """Return the acquisition time (ROS clock) of a frame's running index [ns]."""


class ExactTimebase:
    """A source whose frames are at exactly the nominal rate: simulated, or a file.

    Args:
        start_ns: acquisition time of frame 0 (ROS clock) [ns].
        sample_rate_hz: frames per second [Hz].
    """

    def __init__(self, *, start_ns: int, sample_rate_hz: int) -> None:
        self._start_ns = start_ns
        self._rate = sample_rate_hz

    def stamp_ns(self, frame: int) -> int:
        """Return the acquisition time (ROS clock) of a frame's running index [ns]."""
        return self._start_ns + (frame * _NS + self._rate // 2) // self._rate


class AudioBlocker:
    """Collects chunks of any length and hands on blocks of one length.

    Every block holds frames that are adjacent in the device's count. Where
    frames were lost, `first_sample` jumps by their number; frames before the
    hole that do not fill a block are counted into it.

    Args:
        audio_format: rate, channels and bits of the stream.
        block_frames: frames in a block.
        timebase: when a frame was acquired.
        sink: called with every block, in the thread that pushes.
    """

    def __init__(
        self,
        *,
        audio_format: AudioFormat,
        block_frames: int,
        timebase: Timebase,
        sink: AudioSink,
    ) -> None:
        self._format = audio_format
        self._frames = block_frames
        self._timebase = timebase
        self._sink = sink
        self._block = self._new_block()
        self._scratch = np.empty((block_frames, audio_format.channels), np.float32)
        self._filled = 0
        self._first = 0
        self.blocks = 0
        self.xruns = 0
        self.holes = 0
        self.lost_frames = 0

    @property
    def next_frame(self) -> int:
        """Running index that the next pushed frame gets."""
        return self._first + self._filled

    def push(self, samples: npt.NDArray[np.generic]) -> None:
        """Append frames and hand on each block that they fill.

        Args:
            samples: (frames, channels), of the format's integer type, or
                float32 with full scale ±1. A float that came from an integer
                of at most 24 bits (n / 2^(bits - 1)) becomes that integer again.

        Raises:
            AudioError: another number of channels or another type.
        """
        floating = self._check(samples)
        done = 0
        while done < len(samples):
            take = min(self._frames - self._filled, len(samples) - done)
            piece = samples[done : done + take]
            target = self._block[self._filled : self._filled + take]
            if floating:
                scratch = self._scratch[:take]
                full = self._format.full_scale
                np.multiply(piece, np.float32(full), out=scratch)
                np.rint(scratch, out=scratch)
                np.clip(scratch, -full, full - 1, out=scratch)
                target[...] = scratch
            else:
                target[...] = piece
            done += take
            self._filled += take
            if self._filled == self._frames:
                self._hand_on()

    def lose(self, frames: int) -> None:
        """Leave a hole of some frames before the next pushed one.

        Args:
            frames: how many the device acquired and nobody got; 0 does nothing.
        """
        if frames <= 0:
            return
        self._first += self._filled + frames
        if self.blocks:
            self.holes += 1
            self.lost_frames += self._filled + frames
        self._filled = 0

    def _hand_on(self) -> None:
        block = AudioBlock(
            stamp_ns=self._timebase.stamp_ns(self._first),
            first_sample=self._first,
            samples=self._block,
            xruns=self.xruns,
        )
        self._block = self._new_block()
        self._first += self._frames
        self._filled = 0
        self.blocks += 1
        self._sink(block)

    def _new_block(self) -> npt.NDArray[np.int16] | npt.NDArray[np.int32]:
        return np.empty((self._frames, self._format.channels), self._format.dtype)

    def _check(self, samples: npt.NDArray[np.generic]) -> bool:
        if samples.ndim != 2 or samples.shape[1] != self._format.channels:
            raise AudioError(
                f"expected samples of shape (frames, {self._format.channels}), got "
                f"{samples.shape}: give every channel of every frame"
            )
        if samples.dtype == np.float32:
            return True
        if samples.dtype != self._format.dtype:
            raise AudioError(
                f"expected {self._format.dtype} or float32 samples for {self._format.bits} bits, "
                f"got {samples.dtype}"
            )
        return False
