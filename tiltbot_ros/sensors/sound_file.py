"""Reads sound files exactly: every integer of a WAV or FLAC file as it was written."""

import struct
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from tiltbot_ros.errors import AudioError, MissingDependencyError
from tiltbot_ros.sensors.audio import AudioFormat

try:
    import soundfile
except (ImportError, OSError) as error:  # pragma: no cover
    raise MissingDependencyError(
        f"expected the Python package 'soundfile' ({error}): pip install soundfile"
    ) from error

_UNKNOWN_LENGTH = 0xFFFFFFFF
_BITS = {"PCM_16": 16, "PCM_S8": 16, "PCM_U8": 16, "ALAW": 16, "ULAW": 16, "PCM_24": 24}


class SoundFile:
    """A sound file whose frames are read as the integers that they are.

    PCM of at most 16 bits gives 16 bits, all else 24 bits. 32-bit PCM gives its
    upper 24 bits; floating point is rounded to 24 bits.

    Args:
        path: the file.

    Raises:
        AudioError: the file is absent, no sound file, or shorter than its header says.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise AudioError(f"expected a sound file at {path}, found none")
        _check_wav_length(path)
        try:
            self._file = soundfile.SoundFile(path)
        except soundfile.LibsndfileError as error:
            raise AudioError(
                f"expected a WAV or FLAC file, {path} is none that libsndfile can read: {error}"
            ) from error
        self._floating = self._file.subtype in {"FLOAT", "DOUBLE"}
        self.audio_format = AudioFormat(
            sample_rate=self._file.samplerate,
            channels=self._file.channels,
            bits=_BITS.get(self._file.subtype, 24),
        )
        self.frames = int(self._file.frames)
        self._check_last_frame()

    def read(self, frames: int) -> npt.NDArray[np.int16] | npt.NDArray[np.int32]:
        """Read on from where the last call ended.

        Args:
            frames: at most how many.

        Returns:
            (frames, channels) of the format's integer type; fewer frames at the
            end of the file, none after it.

        Raises:
            AudioError: the file is damaged.
        """
        expected = min(frames, self.frames - self._file.tell())
        kind = "float64" if self._floating else self.audio_format.dtype.name
        try:
            samples = self._file.read(expected, dtype=kind, always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioError(
                f"{self.path} is damaged near frame {self.position}: {error}"
            ) from error
        if len(samples) < expected:
            raise AudioError(
                f"expected {self.frames} frames in {self.path}, it ends at frame {self.position}: "
                "it is truncated or damaged"
            )
        if self._floating:
            full = self.audio_format.full_scale
            rounded = np.clip(np.rint(samples * full), -full, full - 1)
            return np.asarray(rounded, np.int32)
        if self.audio_format.bits == 24:
            # libsndfile left-aligns integers in 32 bits.
            return np.asarray(samples >> 8, np.int32)
        return np.asarray(samples, np.int16)

    @property
    def position(self) -> int:
        """The frame that the next read begins with."""
        return int(self._file.tell())

    def seek(self, frame: int) -> None:
        """Go to a frame."""
        self._file.seek(frame)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_last_frame(self) -> None:
        if self.frames == 0:
            return
        try:
            self._file.seek(self.frames - 1)
            last = len(self._file.read(1, always_2d=True))
            self._file.seek(0)
        except soundfile.LibsndfileError:
            last = 0
        if last != 1:
            self._file.close()
            raise AudioError(
                f"expected {self.frames} frames in {self.path}, the last cannot be read: it is "
                "truncated or damaged"
            )


def _check_wav_length(path: Path) -> None:
    """Compare a WAV file's length with its header, which libsndfile tolerates to differ."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return
        file.seek(12)
        while len(header := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", header)
            missing = file.tell() + length - size
            if name == b"data" and length != _UNKNOWN_LENGTH and missing > 0:
                raise AudioError(
                    f"expected {length} bytes of sound in {path}, {missing} of them are missing: "
                    "it is truncated"
                )
            file.seek(length + length % 2, 1)
