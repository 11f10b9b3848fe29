"""What one recording session is about: the rig's facts, where it goes, what flows how fast."""

from pydantic import Field

from tiltbot_ros.errors import ConfigError
from tiltbot_ros.settings import Settings
from tiltbot_ros.topics import RECORDED, Topic


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
    tray_hz: float = Field(
        100.0, ge=0.0, le=1000.0, description="tray states a second [Hz]; 0: there is no arm"
    )
    extra_topics: list[str] = Field(
        [], description="more topics to record, each as 'name:package/msg/Type'"
    )

    def topics(self) -> list[tuple[Topic, float]]:
        """Return what is recorded, with the rate that is promised [Hz]; 0: an event.

        Raises:
            ConfigError: an extra topic is not written as 'name:package/msg/Type'.
        """
        rates = {"audio": self.audio_hz, "camera": self.camera_hz, "tray": self.tray_hz}
        known = [
            (topic, rates[topic.source] if topic.steady else 0.0)
            for topic in RECORDED
            if not topic.source or rates[topic.source]
        ]
        return known + [(self._extra(text), 0.0) for text in self.extra_topics]

    @staticmethod
    def _extra(text: str) -> Topic:
        name, separator, kind = text.partition(":")
        if not (name and separator and kind):
            raise ConfigError(
                f"expected an extra topic as 'name:package/msg/Type', got '{text}'; for example "
                f"'robot/force:geometry_msgs/msg/WrenchStamped'"
            )
        return Topic(name=name, type=kind, depth=200, content="extra")
