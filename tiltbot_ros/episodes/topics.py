"""What is recorded, and what is known of it."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)

from tiltbot_ros.episodes.typestore import (
    AUDIO_TYPE,
    COMPRESSED_TYPE,
    CONTACT_TYPE,
    IMAGE_TYPE,
    TILT_TYPE,
)

_ENDLESS = QosTime(9223372036, 854775807)


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedTopic:
    """One recorded topic. Its message type says what part it plays.

    Attributes:
        name: full name in the graph, for example `/rig_a/audio`.
        type: message type, for example `tiltbot/msg/ContactAudio`.
        latched: transient local; the last message is in every bag.
        required: the ready gate waits for it.
        expected_hz: what the rig promises for the bag; 0: no promise [Hz].
        moments_hz: rate of a stream of which a bag keeps only the messages at the pictures
            before and after the tilt; 0: it keeps all [Hz].
        reliability, depth: quality of service, stored for replay.
    """

    name: str
    type: str
    latched: bool = False
    required: bool = False
    expected_hz: float = 0.0
    moments_hz: float = 0.0
    reliability: Literal["reliable", "best_effort"] = "reliable"
    depth: int = 10

    @property
    def flow_hz(self) -> float:
        """What the rig promises while it records, whatever a bag keeps of it; 0: nothing [Hz]."""
        return self.expected_hz or self.moments_hz

    @property
    def is_audio(self) -> bool:
        """A stream of sound: blocks follow each other by `first_sample`."""
        return self.type == AUDIO_TYPE

    @property
    def is_video(self) -> bool:
        """A stream of images, raw or compressed."""
        return self.type in (IMAGE_TYPE, COMPRESSED_TYPE)

    @property
    def is_tilt(self) -> bool:
        """The actions: only the tilt that caused the contact is in a bag."""
        return self.type == TILT_TYPE

    @property
    def is_contact(self) -> bool:
        """The contacts themselves."""
        return self.type == CONTACT_TYPE

    def qos(self) -> Qos:
        """Return the profile that a player should offer this topic with."""
        return Qos(
            QosHistory.KEEP_LAST,
            self.depth,
            QosReliability.RELIABLE
            if self.reliability == "reliable"
            else QosReliability.BEST_EFFORT,
            QosDurability.TRANSIENT_LOCAL if self.latched else QosDurability.VOLATILE,
            _ENDLESS,
            _ENDLESS,
            QosLiveliness.AUTOMATIC,
            _ENDLESS,
            False,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON knows them."""
        return asdict(self)
