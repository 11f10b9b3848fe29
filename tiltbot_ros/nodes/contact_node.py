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


class ContactListener:
    """One detector, made when the first block tells the format.

    Args:
        node: who publishes.
        settings: of the detector.
    """

    def __init__(self, node: Node, settings: DetectorSettings) -> None:
        self._node = node
        self._settings = settings
        self._detector: ContactDetector | None = None
        self._frames: list[str] = []
        self._blocks = 0
        self.heard = self.refused = 0
        self._contacts = publisher(node, topics.CONTACT)

    def on_info(self, info: ContactAudioInfo) -> None:
        """Learn the frames of the channels."""
        self._frames = list(info.channel_frames)

    def on_audio(self, data: bytes) -> None:
        """Listen to a raw block of sound; what is heard is published."""
        try:
            message = read_audio(data)
            found = self._detector_for(message).process(message.block)
        except (AudioError, EpisodeError) as error:
            self.refused += 1
            self._node.get_logger().error(str(error), throttle_duration_sec=5.0)
            return
        self._blocks += 1
        for contact in found:
            self._publish(contact, message.frame_id)

    def take_blocks(self) -> int:
        """Return how many blocks were listened to since the last call."""
        blocks, self._blocks = self._blocks, 0
        return blocks

    def _detector_for(self, message: AudioMessage) -> ContactDetector:
        if self._detector is None or self._detector.format != message.format:
            self._detector = ContactDetector(self._settings, message.format)
            self._node.get_logger().info(
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
        self.heard += 1


class ContactNode(Node):
    """Wires a listener to the sound."""

    def __init__(self, _fault: Fault) -> None:
        super().__init__("contacts")
        settings = declare(self, DetectorSettings, "detector")
        refuse_unknown(self)
        self._lost = 0
        listener = self._listener = ContactListener(self, settings)
        self._info = subscription(self, topics.AUDIO_INFO, listener.on_info)
        self._audio = subscription(
            self, topics.AUDIO, listener.on_audio, raw=True, lost=self._on_lost
        )
        self._diagnostics = Diagnostics(self, hardware="", health=self._health)

    def _on_lost(self, count: int) -> None:
        self._lost += count

    def _health(self) -> Health:
        blocks = self._listener.take_blocks()
        values = {
            "blocks a second": blocks,
            "contacts": self._listener.heard,
            "refused": self._listener.refused,
            "lost": self._lost,
        }
        if blocks == 0:
            return Health(level="warn", message="no sound on 'audio'", values=values)
        return Health(level="ok", message="listening", values=values)


def main() -> int:
    """Run the node."""
    return run(ContactNode)
