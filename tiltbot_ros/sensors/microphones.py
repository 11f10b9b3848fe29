"""What contact microphones are to this package: settings, facts, and the source protocol."""

from dataclasses import dataclass
from typing import Literal, Protocol, Self

from pydantic import Field, model_validator

from tiltbot_ros.sensors.audio import AudioFormat
from tiltbot_ros.sensors.blocker import AudioSink
from tiltbot_ros.settings import Settings


class MicrophoneSettings(Settings):
    """Which microphones, in which format, and what is known of them."""

    source: Literal["simulated", "sounddevice", "file"] = Field(
        default="simulated",
        description="'sounddevice' (a sound card), 'file' (any WAV or FLAC), or 'simulated' (the "
        "world node makes the sound)",
    )
    device: str = Field(
        default="",
        description="for 'sounddevice': index, name or part of the name of the device; empty: the "
        "system's default",
    )
    path: str = Field(default="", description="for 'file': the WAV or FLAC file")
    loop: bool = Field(default=False, description="for 'file': start again at its end")
    real_time: bool = Field(
        default=True, description="for 'file': play at its own speed, not as fast as possible"
    )
    sample_rate_hz: int = Field(
        default=44_100, ge=1000, le=768_000, description="frames per second [Hz]"
    )
    channels: int = Field(default=4, ge=1, le=64, description="samples in a frame")
    bits: Literal[16, 24] = Field(default=16, description="significant bits of a sample, 16 or 24")
    block_frames: int = Field(
        default=441, ge=1, le=1_000_000, description="frames in a published block"
    )
    latency_s: float = Field(
        default=0.1,
        ge=0.0,
        le=5.0,
        description="buffer asked of the sound card, which is what a busy computer may lag without "
        "a loss [s]",
    )
    ring_s: float = Field(
        default=2.0,
        ge=0.05,
        le=60.0,
        description="sound buffered between the sound card's callback and its reader [s]",
    )
    settle_s: float = Field(
        default=1.0,
        ge=0.0,
        le=30.0,
        description="sound left out after opening a sound card, while its times settle [s]",
    )
    stall_s: float = Field(
        default=1.0,
        ge=0.1,
        le=60.0,
        description="silence of a sound card's callback after which it is opened anew [s]",
    )
    retry_max_s: float = Field(
        default=10.0,
        ge=0.1,
        le=600.0,
        description="longest pause between two attempts to open a sound card anew [s]",
    )
    gain_db: list[float] = Field(
        default=[],
        description="gain of each channel as set on the preamplifier [dB]; empty: unknown",
    )
    calibration: list[float] = Field(
        default=[],
        description="quantity at digital full scale, per channel [unit]; empty: not calibrated",
    )
    unit: str = Field(default="", description="unit of the calibration, such as 'm/s^2' or 'Pa'")
    frame_id: str = Field(default="tray", description="TF frame the microphones are mounted on")
    channel_frames: list[str] = Field(
        default=[],
        description="TF frame of each microphone, in channel order; empty: mic_0, mic_1, ...",
    )

    @model_validator(mode="after")
    def _check_lists(self) -> Self:
        for name in ("gain_db", "calibration", "channel_frames"):
            values: list[object] = getattr(self, name)
            if values and len(values) != self.channels:
                raise ValueError(
                    f"expected {name} to be empty or to have {self.channels} values, one per "
                    f"channel, got {len(values)}"
                )
        return self

    @property
    def audio_format(self) -> AudioFormat:
        """Rate, channels and bits of the stream."""
        return AudioFormat(sample_rate=self.sample_rate_hz, channels=self.channels, bits=self.bits)


@dataclass(frozen=True, kw_only=True, slots=True)
class MicrophoneInfo:
    """What stays constant of a microphone stream.

    Attributes:
        device: the device, as its driver names it, or the file's path.
        source: "simulated", "sounddevice" or "file".
        audio_format: rate, channels and bits.
        block_frames: frames in a block.
        gain_db: per channel [dB], NaN where unknown.
        calibration: quantity at full scale, per channel [unit], NaN where not calibrated.
        unit: of the calibration, empty when unknown.
        frame_id: TF frame the microphones are mounted on.
        channel_frames: TF frame of each microphone.
    """

    device: str
    source: str
    audio_format: AudioFormat
    block_frames: int
    gain_db: tuple[float, ...]
    calibration: tuple[float, ...]
    unit: str
    frame_id: str
    channel_frames: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MicrophoneHealth:
    """How a microphone stream is doing.

    Attributes:
        state: what it does now. "settling": open, its clock not yet known;
            "stalled": gone, being opened again; "ended": at the end of a file;
            "failed": will not deliver any more, `detail` says why.
        detail: one line for a person, empty when there is nothing to say.
        blocks: blocks handed on.
        xruns: overruns that the device has reported.
        holes: places where frames are missing.
        lost_frames: frames in those holes.
        reopened: times that the device was opened again.
        ring_fill: largest filled part of the ring since the last call, in [0, 1].
        jitter_s: standard deviation of the device's times about their line [s].
        rate_error_ppm: how much slower than nominal the device runs [ppm].
        clock_steps: steps of the ROS clock seen.
    """

    state: Literal["stopped", "settling", "running", "stalled", "ended", "failed"]
    detail: str = ""
    blocks: int = 0
    xruns: int = 0
    holes: int = 0
    lost_frames: int = 0
    reopened: int = 0
    ring_fill: float = 0.0
    jitter_s: float = 0.0
    rate_error_ppm: float = 0.0
    clock_steps: int = 0


class MicrophoneSource(Protocol):
    """Microphones that call a sink with every block, from a thread of their own."""

    @property
    def info(self) -> MicrophoneInfo:
        """What stays constant; complete once `start` has returned."""

    def start(self, sink: AudioSink) -> None:
        """Begin to deliver blocks.

        Raises:
            DeviceError: the device is absent or refuses its configuration.
            MissingDependencyError: a library or system package is not installed.
        """

    def stop(self) -> None:
        """Stop delivering; no block reaches the sink after the return."""

    def health(self) -> MicrophoneHealth:
        """Return how the stream is doing; may be called from any thread."""


def describe(settings: MicrophoneSettings, *, device: str) -> MicrophoneInfo:
    """Return the facts of a stream, with what the settings leave open filled in.

    Args:
        settings: of the microphones.
        device: the device, as its driver names it.
    """
    unknown = (float("nan"),) * settings.channels
    names = tuple(f"mic_{channel}" for channel in range(settings.channels))
    return MicrophoneInfo(
        device=device,
        source=settings.source,
        audio_format=settings.audio_format,
        block_frames=settings.block_frames,
        gain_db=tuple(settings.gain_db) or unknown,
        calibration=tuple(settings.calibration) or unknown,
        unit=settings.unit,
        frame_id=settings.frame_id,
        channel_frames=tuple(settings.channel_frames) or names,
    )
