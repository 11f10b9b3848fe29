"""Streams a camera, or a file of one, onto the camera topics."""

from rclpy.node import Node

from tiltbot_ros.errors import DeviceError
from tiltbot_ros.nodes.camera_publisher import CameraPublisher
from tiltbot_ros.nodes.diagnosing import Diagnostics, Health, Level
from tiltbot_ros.nodes.parameters import declare, refuse_unknown
from tiltbot_ros.nodes.running import Fault, run
from tiltbot_ros.sensors.camera_opening import open_camera
from tiltbot_ros.sensors.cameras import CameraSettings
from tiltbot_ros.sensors.mount import MountSettings
from tiltbot_ros.wording import counted

_LEVELS: dict[str, Level] = {"failed": "error", "stalled": "error", "ended": "warn"}


class CameraNode(Node):
    """One camera, published as it comes."""

    def __init__(self, fault: Fault) -> None:
        super().__init__("camera")
        settings = declare(self, CameraSettings, "camera")
        mount = declare(self, MountSettings, "mount")
        refuse_unknown(self)
        self._fault = fault
        self._dropped = 0
        self._frames = CameraPublisher(self, settings=settings)
        clock = self.get_clock()
        self._source = open_camera(settings, clock=lambda: clock.now().nanoseconds)
        self._frames.publish_pose(
            mount.pose(), parent=mount.frame_id, stamp_ns=clock.now().nanoseconds
        )
        self._source.start(self._frames.publish)
        self._diagnostics = Diagnostics(
            self, hardware=settings.path or settings.device or settings.source, health=self._health
        )

    def _health(self) -> Health:
        health = self._source.health()
        if health.state == "failed":
            self._fault.set(DeviceError(health.detail))
        tally = health.tally
        dropped, self._dropped = tally.dropped - self._dropped, tally.dropped
        level = _LEVELS.get(health.state, "ok")
        message = health.detail or health.state
        if level == "ok" and (dropped or health.detail):
            level = "warn"
            message = f"{counted(dropped, 'frame')} lost; {message}" if dropped else message
        return Health(
            level=level,
            message=message,
            values={
                "stream": health.stream,
                "frames": health.frames,
                "late": health.late,
                "dropped": tally.dropped,
                "without depth": tally.unmatched,
                "out of order": tally.disordered,
                "stamps": tally.domain,
                "restamped": tally.restamped,
                "clock steps": tally.clock_steps,
                "misses": health.misses,
                "reconnects": health.reconnects,
            },
        )

    def close(self) -> None:
        """Close the device before the publishers go."""
        self._source.stop()


def main() -> int:
    """Run the node."""
    return run(CameraNode)
