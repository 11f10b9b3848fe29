"""Sound in ROS: blocks in, `ContactAudio` out."""

from array import array

from rclpy.node import Node

from tiltbot.msg import ContactAudio, ContactAudioInfo
from tiltbot_ros import topics
from tiltbot_ros.nodes.wiring import publisher, stamp
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat
from tiltbot_ros.sensors.microphones import MicrophoneInfo


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

    def publish_info(self, info: MicrophoneInfo, *, stamp_ns: int) -> None:
        """Publish the latched description.

        Args:
            info: what stays constant of the stream.
            stamp_ns: when the device was opened (ROS clock) [ns].
        """
        message = ContactAudioInfo(
            device=info.device,
            source=info.source,
            sample_rate=info.audio_format.sample_rate,
            channels=info.audio_format.channels,
            bits=info.audio_format.bits,
            block_frames=info.block_frames,
            gain_db=list(info.gain_db),
            calibration=list(info.calibration),
            unit=info.unit,
            channel_frames=list(info.channel_frames),
        )
        message.header.stamp = stamp(stamp_ns)
        message.header.frame_id = info.frame_id
        self._infos.publish(message)

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
