"""Listens to `audio` and publishes every contact it hears on `contact`."""

from rclpy.node import Node

from tiltbot.msg import Contact, ContactAudioInfo
from tiltbot_ros import topics
from tiltbot_ros.episodes.cdr import AudioMessage, read_audio
from tiltbot_ros.episodes.detector import ContactDetector, DetectorSettings, HeardContact
from tiltbot_ros.errors import AudioError, EpisodeError
from tiltbot_ros.nodes.diagnosing import Diagnostics, Health
from tiltbot_ros.nodes.parameters import declare, refuse_unknown
from tiltbot_ros.nodes.running import Fault, run
from tiltbot_ros.nodes.wiring import publisher, stamp, subscription


class ContactNode(Node):
    """One detector, made when the first block tells the format."""

    def __init__(self, _fault: Fault) -> None:
        super().__init__("contacts")
        self._settings = declare(self, DetectorSettings, "detector")
        refuse_unknown(self)
        self._detector: ContactDetector | None = None
        self._frames: list[str] = []
        self._heard = self._blocks = self._refused = self._lost = 0
        self._contacts = publisher(self, topics.CONTACT)
        self._info = subscription(self, topics.AUDIO_INFO, self._on_info)
        self._audio = subscription(self, topics.AUDIO, self._on_audio, raw=True, lost=self._on_lost)
        self._diagnostics = Diagnostics(self, hardware="", health=self._health)

    def _on_info(self, info: ContactAudioInfo) -> None:
        self._frames = list(info.channel_frames)

    def _on_lost(self, count: int) -> None:
        self._lost += count

    def _on_audio(self, data: bytes) -> None:
        try:
            message = read_audio(data)
            found = self._detector_for(message).process(message.block)
        except (AudioError, EpisodeError) as error:
            self._refused += 1
            self.get_logger().error(str(error), throttle_duration_sec=5.0)
            return
        self._blocks += 1
        for contact in found:
            self._publish(contact, message.frame_id)

    def _detector_for(self, message: AudioMessage) -> ContactDetector:
        if self._detector is None or self._detector.format != message.format:
            self._detector = ContactDetector(self._settings, message.format)
            self.get_logger().info(
                f"listening to {message.format.channels} channels of {message.format.bits} bits "
                f"at {message.format.sample_rate} Hz, detector {self._detector.digest}"
            )
        return self._detector

    def _publish(self, contact: HeardContact, frame_id: str) -> None:
        known = contact.channel < len(self._frames)
        message = Contact(
            sample=contact.sample,
            channel=contact.channel,
            level=contact.level,
            threshold=contact.threshold,
            detector=contact.detector,
        )
        message.header.stamp = stamp(contact.stamp_ns)
        message.header.frame_id = self._frames[contact.channel] if known else frame_id
        self._contacts.publish(message)
        self._heard += 1

    def _health(self) -> Health:
        blocks, self._blocks = self._blocks, 0
        values = {
            "blocks a second": blocks,
            "contacts": self._heard,
            "refused": self._refused,
            "lost": self._lost,
        }
        if blocks == 0:
            return Health(level="warn", message="no sound on 'audio'", values=values)
        return Health(level="ok", message="listening", values=values)


def main() -> int:
    """Run the node."""
    return run(ContactNode)
