"""Sound in ROS: blocks in, `ContactAudio` out."""

from array import array
from collections.abc import Sequence

from rclpy.node import Node
from tiltbot.msg import ContactAudio, ContactAudioInfo

from tiltbot_ros import topics
from tiltbot_ros.nodes.wiring import publisher, stamp
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat


class AudioPublisher:
    """Publishes one sound stream and what stays constant of it."""

    def __init__(self, node: Node, *, audio_format: AudioFormat, frame: str) -> None:
        self._format = audio_format
        self._blocks = publisher(node, topics.AUDIO)
        self._infos = publisher(node, topics.AUDIO_INFO)
        self._message = ContactAudio(
            sample_rate=audio_format.sample_rate,
            channels=audio_format.channels,
            bits=audio_format.bits,
        )
        self._message.header.frame_id = frame

    def publish_info(
        self,
        *,
        stamp_ns: int,
        device: str,
        source: str,
        block_frames: int,
        gain_db: Sequence[float],
        calibration: Sequence[float],
        unit: str,
        channel_frames: Sequence[str],
    ) -> None:
        """Publish the latched description; fields as in ContactAudioInfo."""
        unknown = [float("nan")] * self._format.channels
        info = ContactAudioInfo(
            device=device,
            source=source,
            sample_rate=self._format.sample_rate,
            channels=self._format.channels,
            bits=self._format.bits,
            block_frames=block_frames,
            gain_db=list(gain_db) or unknown,
            calibration=list(calibration) or unknown,
            unit=unit,
            channel_frames=list(channel_frames),
        )
        info.header.stamp = stamp(stamp_ns)
        info.header.frame_id = self._message.header.frame_id
        self._infos.publish(info)

    def publish(self, block: AudioBlock) -> None:
        """Publish one block. Not for two threads at once."""
        message = self._message
        message.header.stamp = stamp(block.stamp_ns)
        message.first_sample = block.first_sample
        message.xruns = block.xruns
        # An array of the field's own type code is taken over without a copy by element.
        if self._format.bits == 16:
            message.data16 = array("h", block.samples.tobytes())
        else:
            message.data32 = array("i", block.samples.tobytes())
        self._blocks.publish(message)
