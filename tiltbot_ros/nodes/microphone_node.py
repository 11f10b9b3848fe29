"""Streams microphones (a sound card, or a file) onto `audio`."""

from rclpy.node import Node

from tiltbot_ros.errors import DeviceError
from tiltbot_ros.nodes.audio_publisher import AudioPublisher
from tiltbot_ros.nodes.diagnosing import Diagnostics, Health, Level
from tiltbot_ros.nodes.parameters import declare, refuse_unknown
from tiltbot_ros.nodes.running import Fault, run
from tiltbot_ros.sensors.microphone_opening import open_microphones
from tiltbot_ros.sensors.microphones import MicrophoneSettings

_LEVELS: dict[str, Level] = {"failed": "error", "stalled": "error", "ended": "warn"}


class MicrophoneNode(Node):
    """One source of sound, published as it comes."""

    def __init__(self, fault: Fault) -> None:
        super().__init__("microphones")
        settings = declare(self, MicrophoneSettings, "microphones")
        refuse_unknown(self)
        self._fault = fault
        self._blocks = AudioPublisher(
            self, audio_format=settings.audio_format, frame=settings.frame_id
        )
        clock = self.get_clock()
        self._source = open_microphones(settings, clock=lambda: clock.now().nanoseconds)
        self._source.start(self._blocks.publish)
        self._blocks.publish_info(self._source.info, stamp_ns=clock.now().nanoseconds)
        self._diagnostics = Diagnostics(
            self, hardware=self._source.info.device, health=self._health
        )
        self.get_logger().info(
            f"{self._source.info.device}: {settings.channels} channels, {settings.bits} bits at "
            f"{settings.sample_rate_hz} Hz"
        )

    def _health(self) -> Health:
        health = self._source.health()
        if health.state == "failed":
            self._fault.set(DeviceError(health.detail))
        return Health(
            level=_LEVELS.get(health.state, "warn" if health.holes else "ok"),
            message=health.detail or health.state,
            values={
                "blocks": health.blocks,
                "xruns": health.xruns,
                "holes": health.holes,
                "lost frames": health.lost_frames,
                "times opened again": health.reopened,
                "ring fill": f"{health.ring_fill:.3f}",
                "jitter [s]": f"{health.jitter_s:.6f}",
                "rate error [ppm]": f"{health.rate_error_ppm:.1f}",
                "clock steps": health.clock_steps,
            },
        )

    def close(self) -> None:
        """Close the device before the publishers go."""
        self._source.stop()


def main() -> int:
    """Run the node."""
    return run(MicrophoneNode)
