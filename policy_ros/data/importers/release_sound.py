"""The sound of the Tilt-Bot release: one MP3 file a microphone, or one WAV file for all."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from policy_ros.data.importers.release_names import sound_files, stamp_ns
from tiltbot_ros.errors import FormatError
from tiltbot_ros.sensors.audio import AudioFormat
from tiltbot_ros.sensors.sound_file import SoundFile

_CHUNK_FRAMES = 1 << 17
_UNEVEN_S = 0.2
"""MP3 files of one recording may differ by this: each ends with a whole MP3 frame [s]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseSound:
    """The sound of one experiment.

    Attributes:
        start_ns: time of its first frame, by its name [ns].
        format: 16 bits, as many channels as files.
        frames: that all channels have.
        files: of channel 0, 1, ..., or one file with all channels.
    """

    start_ns: int
    format: AudioFormat
    frames: int
    files: tuple[Path, ...]

    def chunks(self) -> Iterator[npt.NDArray[np.int16] | npt.NDArray[np.int32]]:
        """Yield the frames in order, (n, channels).

        Raises:
            FormatError: a file is damaged.
            AudioError: a WAV file is damaged.
        """
        if len(self.files) == 1:
            with SoundFile(self.files[0]) as whole:
                while len(samples := whole.read(_CHUNK_FRAMES)):
                    yield samples
            return
        with ExitStack() as stack:
            opened = [stack.enter_context(soundfile.SoundFile(path)) for path in self.files]
            left = self.frames
            while left:
                count = min(left, _CHUNK_FRAMES)
                channels = [
                    _read(file, path, count) for file, path in zip(opened, self.files, strict=True)
                ]
                yield np.stack(channels, axis=1)
                left -= count


def open_sound(folder: Path, channel_order: tuple[int, ...]) -> ReleaseSound:
    """Find the sound of an experiment.

    Args:
        folder: its `audio`, with `<stamp>_<number>.mp3`, or `<stamp>.wav` as
            the release's own script unpacks it.
        channel_order: number of the file that is channel 0, 1, ...

    Raises:
        FormatError: files are missing, damaged, or do not belong together.
    """
    waves = sorted(folder.glob("*.wav"))
    if waves:
        return _one_file(waves)
    found = sound_files(folder)
    if len(found) != 1:
        raise FormatError(
            f"{folder}: expected the MP3 files of one recording, <stamp>_0.mp3 and so on, found "
            f"those of {len(found)}: put each recording in a folder of its own"
        )
    ((stamp, by_number),) = found.items()
    if set(by_number) != set(channel_order):
        raise FormatError(
            f"{folder}: expected the files {sorted(channel_order)} of {stamp}, found "
            f"{sorted(by_number)}"
        )
    files = tuple(by_number[number] for number in channel_order)
    kinds = [_look(path) for path in files]
    rates = sorted({rate for rate, _ in kinds})
    lengths = [frames for _, frames in kinds]
    if len(rates) != 1:
        raise FormatError(f"{folder}: expected files of one sample rate, found {rates} Hz")
    if max(lengths) - min(lengths) > _UNEVEN_S * rates[0] or not min(lengths):
        raise FormatError(
            f"{folder}: expected files of one length, found {lengths} frames: one is truncated"
        )
    return ReleaseSound(
        start_ns=stamp_ns(stamp, folder),
        format=AudioFormat(sample_rate=rates[0], channels=len(files), bits=16),
        frames=min(lengths),
        files=files,
    )


def _one_file(waves: list[Path]) -> ReleaseSound:
    if len(waves) > 1:
        raise FormatError(
            f"{waves[0].parent}: expected one WAV file, found {len(waves)}: put each recording in "
            "a folder of its own"
        )
    with SoundFile(waves[0]) as file:
        return ReleaseSound(
            start_ns=stamp_ns(waves[0].name, waves[0]),
            format=file.audio_format,
            frames=file.frames,
            files=(waves[0],),
        )


def _look(path: Path) -> tuple[int, int]:
    try:
        with soundfile.SoundFile(path) as file:
            rate, frames, channels = file.samplerate, file.frames, file.channels
    except soundfile.LibsndfileError as error:
        raise FormatError(
            f"{path}: expected an MP3 file, got one that cannot be read: {error}"
        ) from error
    if channels != 1:
        raise FormatError(f"{path}: expected one channel, found {channels}")
    return int(rate), int(frames)


def _read(file: soundfile.SoundFile, path: Path, count: int) -> npt.NDArray[np.int16]:
    try:
        samples = file.read(count, dtype="float32", always_2d=True)[:, 0]
    except soundfile.LibsndfileError as error:
        raise FormatError(f"{path}: damaged near frame {file.tell()}: {error}") from error
    if len(samples) < count:
        raise FormatError(f"{path}: damaged or truncated near frame {file.tell()}")
    rounded = np.clip(np.rint(samples * 32768.0), -32768, 32767)
    return np.asarray(rounded, np.int16)
