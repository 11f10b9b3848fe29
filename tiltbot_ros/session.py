"""What one recording session is about: the rig's facts, where it goes, what flows how fast."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from tiltbot_ros.episodes.facts import ConstantFacts, software_version
from tiltbot_ros.episodes.recorder_settings import RecorderSettings
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.verdict_settings import VerdictSettings
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.settings import Settings
from tiltbot_ros.topics import COMPRESSED, DEPTH, OBJECT_LOCATION, RECORDED, Topic

if TYPE_CHECKING:
    from tiltbot_ros.rigs import Rig


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """One topic of a session.

    Attributes:
        topic: where it comes from.
        recorded: what is recorded of it.
    """

    topic: Topic
    recorded: RecordedTopic


class SessionSettings(Settings):
    """One session of the recorder."""

    rig: str = Field("", description="name of the rig")
    directory: str = Field("data", description="folder that the episodes go to")
    object: str = Field("", description="object in the tray at the start; empty: not named")
    detector: str = Field("", description="digest of the contact detector's settings")
    detector_settings: str = Field("", description="those settings as JSON")
    max_tilt_rad: float = Field(
        0.0, ge=0.0, le=0.8, description="tilt at action length 1 [rad]; 0: it does not tilt"
    )
    audio_hz: float = Field(100.0, ge=0.0, le=1e5, description="blocks of sound a second [Hz]")
    camera_hz: float = Field(
        6.0, ge=0.0, le=1000.0, description="images a second [Hz]; 0: there is no camera"
    )
    depth: bool = Field(True, description="the camera gives depth")
    located: bool = Field(
        True, description="the object is located, for which the camera's model must be known"
    )
    tray_hz: float = Field(
        100.0, ge=0.0, le=1000.0, description="tray states a second [Hz]; 0: there is no arm"
    )
    extra_topics: list[str] = Field(
        [], description="more topics to record, each as 'name:package/msg/Type'"
    )

    @staticmethod
    def of(rig: "Rig", *, directory: str = "data", object_name: str = "") -> "SessionSettings":
        """Return the session of a rig.

        Args:
            rig: the laboratory, or the simulated one.
            directory: folder that the episodes go to.
            object_name: object in the tray at the start.
        """
        return SessionSettings(
            rig=rig.name,
            directory=directory,
            object=object_name,
            detector=rig.detector.digest(),
            detector_settings=rig.detector.model_dump_json(),
            max_tilt_rad=rig.tilt.max_tilt_rad,
            audio_hz=rig.audio_hz,
            camera_hz=rig.camera.rate_hz if rig.camera else 0.0,
            depth=rig.camera is not None and rig.camera.has_depth,
            located=rig.camera is not None and rig.camera.has_model,
            tray_hz=rig.arm.rate_hz,
        )

    def streams(
        self, settings: RecorderSettings, *, full_name: Callable[[str], str]
    ) -> tuple[Stream, ...]:
        """Return what is recorded, with the rate that is promised.

        Args:
            settings: of the recorder: the form of the images, and which are kept.
            full_name: gives a topic's full name in the graph.

        Raises:
            ConfigError: an extra topic is not written as 'name:package/msg/Type'.
        """
        rates = {"audio": self.audio_hz, "camera": self.camera_hz, "tray": self.tray_hz}
        absent = {
            topic
            for topic, there in ((DEPTH, self.depth), (OBJECT_LOCATION, self.located))
            if not there
        }
        found = []
        for topic in (*RECORDED, *map(self._extra, self.extra_topics)):
            if (topic.source and not rates[topic.source]) or topic in absent:
                continue
            rate_hz = rates[topic.source] if topic.steady else 0.0
            sparse = topic.source == "camera" and settings.moments == "before_after"
            chosen = COMPRESSED.get(topic, topic) if settings.images == "compressed" else topic
            recorded = RecordedTopic(
                name=full_name(chosen.name),
                type=chosen.type,
                latched=chosen.latched,
                required=rate_hz > 0.0,
                expected_hz=0.0 if sparse else rate_hz,
                moments_hz=rate_hz if sparse else 0.0,
                depth=chosen.depth,
            )
            found.append(Stream(topic=chosen, recorded=recorded))
        return tuple(found)

    def facts(
        self,
        streams: tuple[Stream, ...],
        *,
        settings: RecorderSettings,
        limits: VerdictSettings,
    ) -> ConstantFacts:
        """Return what is the same for every episode of the session.

        Args:
            streams: of the session.
            settings: of the recorder.
            limits: of the verdict.
        """
        return ConstantFacts(
            rig=self.rig,
            software_version=software_version(),
            detector=self.detector,
            detector_settings=self.detector_settings,
            before_s=settings.before_s,
            after_s=settings.after_s,
            policy=settings.policy,
            max_tilt_rad=self.max_tilt_rad,
            topics=tuple(stream.recorded for stream in streams),
            limits=limits,
        )

    @staticmethod
    def _extra(text: str) -> Topic:
        name, separator, kind = text.partition(":")
        if not (name and separator and kind):
            raise ConfigError(
                f"expected an extra topic as 'name:package/msg/Type', got '{text}'; for example "
                f"'robot/force:geometry_msgs/msg/WrenchStamped'"
            )
        return Topic(name=name, type=kind, depth=200, content="extra")
