"""Settings of the recorder of demonstrations, and of one session of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tiltbot_ros.episodes.facts import ConstantFacts, software_version
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.verdict_settings import VerdictSettings
from tiltbot_ros.session import Stream
from tiltbot_ros.settings import Settings
from tiltbot_ros.topics import COMPRESSED, DEMONSTRATED, DEPTH

if TYPE_CHECKING:
    from tiltbot_ros.rigs import Rig

POLICY = "demonstration"
"""What the constant facts of a demonstration's bag say where an episode's name its policy."""


class DemonstrationSettings(Settings):
    """How demonstrations are recorded."""

    images: Literal["raw", "compressed"] = Field(
        "raw",
        description="form of the recorded images: 'raw', or 'compressed' (colour as JPEG, depth "
        "as PNG)",
    )
    longest_s: float = Field(
        600.0, gt=0.0, le=86400.0, description="a demonstration ends by itself after that [s]"
    )
    wait_s: float = Field(
        5.0, ge=0.0, le=60.0, description="how long its start waits for streams that lack [s]"
    )
    late_s: float = Field(
        2.0, ge=0.0, le=60.0, description="how long its end waits for streams that lag [s]"
    )
    queue_bytes: int = Field(
        256_000_000, gt=0, description="messages that may wait for the disk; more are dropped [B]"
    )
    gate_s: float = Field(
        1.0, gt=0.0, le=60.0, description="time over which required streams must flow [s]"
    )
    gate_fraction: float = Field(
        0.8, gt=0.0, le=1.0, description="part of its expected rate that a stream must reach"
    )


class DemonstrationSessionSettings(Settings):
    """One session of the recorder of demonstrations."""

    rig: str = Field("", description="name of the rig")
    directory: str = Field("demos", description="folder that the demonstrations go to")
    label: Literal["", "success", "failure"] = Field(
        "", description="outcome of every demonstration whose end does not say one"
    )
    task: str = Field("", description="what is shown, where the start does not say it")
    audio_hz: float = Field(
        0.0, ge=0.0, le=1e5, description="blocks of sound a second [Hz]; 0: no microphones"
    )
    camera_hz: float = Field(
        0.0, ge=0.0, le=1000.0, description="images a second [Hz]; 0: there is no camera"
    )
    depth: bool = Field(default=True, description="the camera gives depth")
    arm_hz: float = Field(100.0, gt=0.0, le=1000.0, description="arm states a second [Hz]")
    steps_hz: float = Field(30.0, gt=0.0, le=200.0, description="steps of the tool a second [Hz]")

    @staticmethod
    def of(
        rig: "Rig",
        *,
        directory: str,
        label: Literal["", "success", "failure"] = "",
        task: str = "",
    ) -> "DemonstrationSessionSettings":
        """Return the session of a rig.

        Devices that only a world could play are left out, and sound of no file.
        """
        source = rig.microphones.source
        heard = source == "sounddevice" or (source == "file" and bool(rig.microphones.path))
        seen = rig.camera is not None and rig.camera.source != "simulated"
        return DemonstrationSessionSettings(
            rig=rig.name,
            directory=directory,
            label=label,
            task=task,
            audio_hz=rig.audio_hz if heard else 0.0,
            camera_hz=rig.camera.rate_hz if rig.camera is not None and seen else 0.0,
            depth=rig.camera is not None and rig.camera.has_depth,
            arm_hz=rig.arm.rate_hz,
            steps_hz=rig.deltas.rate_hz,
        )

    def streams(
        self, settings: DemonstrationSettings, *, full_name: Callable[[str], str]
    ) -> tuple[Stream, ...]:
        """Return what is recorded, with the rate that is promised.

        Args:
            settings: of the recorder: the form of the images.
            full_name: gives a topic's full name in the graph.
        """
        rates = {
            "audio": self.audio_hz,
            "camera": self.camera_hz,
            "arm": self.arm_hz,
            "steps": self.steps_hz,
        }
        found = []
        for topic in DEMONSTRATED:
            if (topic.source and not rates[topic.source]) or (topic == DEPTH and not self.depth):
                continue
            rate_hz = rates[topic.source] if topic.steady else 0.0
            chosen = COMPRESSED.get(topic, topic) if settings.images == "compressed" else topic
            recorded = RecordedTopic(
                name=full_name(chosen.name),
                type=chosen.type,
                latched=chosen.latched,
                required=rate_hz > 0.0,
                expected_hz=rate_hz,
                depth=chosen.depth,
            )
            found.append(Stream(topic=chosen, recorded=recorded))
        return tuple(found)

    def facts(self, streams: tuple[Stream, ...], *, limits: VerdictSettings) -> ConstantFacts:
        """Return what is the same for every demonstration of the session."""
        return ConstantFacts(
            rig=self.rig,
            software_version=software_version(),
            detector="",
            detector_settings="",
            before_s=0.0,
            after_s=0.0,
            policy=POLICY,
            max_tilt_rad=0.0,
            topics=tuple(stream.recorded for stream in streams),
            limits=limits,
        )
