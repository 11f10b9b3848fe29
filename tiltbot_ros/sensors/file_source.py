"""Microphones that play a sound file, in real time or as fast as it can be read."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tiltbot_ros.errors import AudioError
from tiltbot_ros.sensors.blocker import AudioBlocker, AudioSink, ExactTimebase
from tiltbot_ros.sensors.microphones import (
    MicrophoneHealth,
    MicrophoneInfo,
    MicrophoneSettings,
    describe,
)
from tiltbot_ros.sensors.sound_file import SoundFile

_NS = 1_000_000_000
_LOG = logging.getLogger(__name__)


class FileMicrophones:
    """A `MicrophoneSource` that plays a WAV or FLAC file, integer by integer.

    A file of 16 bits may be played as 24 bits (its integers times 256), not the
    other way round. A last part that fills no block is not delivered, and a
    loop's next round follows it without a hole.

    Args:
        settings: with source 'file'.
        clock: the ROS clock, which gives the stamp of frame 0 [ns].
        monotonic: the monotonic clock, which paces the blocks [ns].
        wait: waits some seconds, and says whether the source was stopped meanwhile.

    Raises:
        AudioError: the file is absent, damaged, or in another format than the settings say.
    """

    def __init__(
        self,
        settings: MicrophoneSettings,
        *,
        clock: Callable[[], int],
        monotonic: Callable[[], int] = time.monotonic_ns,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._monotonic = monotonic
        self._wait = wait
        self._file = SoundFile(Path(settings.path))
        self._scale_bits = settings.bits - self._file.audio_format.bits
        self._check_format()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._blocker: AudioBlocker | None = None
        self._health = MicrophoneHealth(state="stopped")

    @property
    def info(self) -> MicrophoneInfo:
        """What stays constant of the stream."""
        return describe(self._settings, device=str(self._file.path))

    def start(self, sink: AudioSink) -> None:
        """Begin to play from the file's first frame."""
        self._stop.clear()
        self._file.seek(0)
        blocker = AudioBlocker(
            audio_format=self._settings.audio_format,
            block_frames=self._settings.block_frames,
            timebase=ExactTimebase(
                start_ns=self._clock(), sample_rate_hz=self._settings.sample_rate_hz
            ),
            sink=sink,
        )
        self._blocker = blocker
        self._health = MicrophoneHealth(state="running")
        self._thread = threading.Thread(target=self._play, args=(blocker,), name="file_microphones")
        self._thread.start()

    def stop(self) -> None:
        """Stop playing; no block reaches the sink after the return."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._health.state == "running":
            self._health = MicrophoneHealth(state="stopped")

    def health(self) -> MicrophoneHealth:
        """Return how the stream is doing; "ended" at the end of the file."""
        health = self._health
        blocks = 0 if self._blocker is None else self._blocker.blocks
        return MicrophoneHealth(state=health.state, detail=health.detail, blocks=blocks)

    def _check_format(self) -> None:
        wanted, found = self._settings.audio_format, self._file.audio_format
        problems = []
        if wanted.sample_rate != found.sample_rate:
            problems.append(f"sample_rate_hz {wanted.sample_rate}, it has {found.sample_rate}")
        if wanted.channels != found.channels:
            problems.append(f"channels {wanted.channels}, it has {found.channels}")
        if wanted.bits < found.bits:
            problems.append(f"bits {wanted.bits}, it has {found.bits}")
        if self._file.frames == 0:
            problems.append("at least one frame, it has none")
        if problems:
            self._file.close()
            raise AudioError(
                f"{self._file.path} does not fit the settings: expected {'; '.join(problems)}. "
                "Change the settings or convert the file"
            )

    def _play(self, blocker: AudioBlocker) -> None:
        start_ns = self._monotonic()
        played = 0
        try:
            while not self._stop.is_set():
                samples = self._file.read(self._settings.block_frames)
                if not len(samples):
                    if not self._settings.loop:
                        detail = f"end of {self._file.path} after {played} frames"
                        self._health = MicrophoneHealth(state="ended", detail=detail)
                        return
                    self._file.seek(0)
                    continue
                played += len(samples)
                if self._settings.real_time:
                    due_ns = start_ns + played * _NS // self._settings.sample_rate_hz
                    ahead_s = (due_ns - self._monotonic()) / _NS
                    if ahead_s > 0 and self._wait(self._stop, ahead_s):
                        return
                if self._scale_bits:
                    samples = samples.astype("int32") << self._scale_bits
                blocker.push(samples)
        except AudioError as error:
            _LOG.error("%s", error)
            self._health = MicrophoneHealth(state="failed", detail=str(error))
        except Exception as error:  # noqa: BLE001 nobody else would notice that this thread ended
            _LOG.exception("playing %s", self._file.path)
            self._health = MicrophoneHealth(
                state="failed", detail=f"{type(error).__name__}: {error}"
            )
