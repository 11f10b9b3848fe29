"""Drives an arm: steps of the tool in, state and reference out at the arm's rate."""

import time

from rclpy.node import Node

from tiltbot_ros.arms.deltas import DeltaSettings
from tiltbot_ros.arms.drivers import ArmSettings
from tiltbot_ros.arms.gripping import GripperSettings
from tiltbot_ros.arms.guard import GuardSettings
from tiltbot_ros.arms.opening import open_arm
from tiltbot_ros.arms.tool_settings import ToolSettings
from tiltbot_ros.errors import DeviceError
from tiltbot_ros.nodes.arm_server import ArmServer
from tiltbot_ros.nodes.diagnosing import Diagnostics, Health
from tiltbot_ros.nodes.parameters import declare, declare_dry_run, refuse_unknown
from tiltbot_ros.nodes.rig_parameters import with_driver
from tiltbot_ros.nodes.running import Fault, run
from tiltbot_ros.rigs import Rig


class ArmNode(Node):
    """One arm of a rig."""

    def __init__(self, fault: Fault) -> None:
        super().__init__("arm")
        self._dry_run = declare_dry_run(self)
        rig = self._rig()
        self._fault = fault
        self._ticks = 0
        clock = self.get_clock()
        self._arm = open_arm(rig, clock=lambda: clock.now().nanoseconds, dry_run=self._dry_run)
        self._arm.connect()
        self._server = ArmServer(self, self._arm, frame=rig.deltas.frame_id, dry_run=self._dry_run)
        self._timer = self.create_timer(1.0 / self._arm.arm.rate_hz, self._tick)
        self._diagnostics = Diagnostics(self, hardware=self._arm.arm.name, health=self._health)
        if self._dry_run:
            self.get_logger().warning("dry run: nothing is sent to the arm, see arm/preview")

    def _rig(self) -> Rig:
        """Return the groups of settings of this arm; other groups have their defaults."""
        rig = with_driver(
            self,
            {
                "arm": declare(self, ArmSettings, "arm"),
                "guard": declare(self, GuardSettings, "guard"),
                "deltas": declare(self, DeltaSettings, "deltas"),
                "gripper": declare(self, GripperSettings, "gripper"),
                "tool": declare(self, ToolSettings, "tool"),
            },
        )
        refuse_unknown(self)
        return rig

    def _tick(self) -> None:
        try:
            self._server.tick(self.get_clock().now().nanoseconds, time.monotonic())
        except DeviceError as error:
            self._fault.set(error)
        self._ticks += 1

    def _health(self) -> Health:
        ticks, self._ticks = self._ticks, 0
        status = self._server.status()
        words = f"{status.phase}{': ' if status.reason else ''}{status.reason}"
        return Health(
            level="error" if status.fault else "ok",
            message=status.fault or (f"dry run, {words}" if self._dry_run else words),
            values={
                "rate [Hz]": ticks,
                "commander": status.commander,
                "deltas": status.deltas,
                "clamped": status.clamped,
                "deadman stops": status.deadman_stops,
                "missed cycles": status.missed_cycles,
                **{f"refused: {cause}": count for cause, count in status.refusals.items()},
                **self._arm.figures(),
            },
        )

    def close(self) -> None:
        """Stop the arm before ROS goes."""
        self._timer.cancel()
        self._arm.close()


def main() -> int:
    """Run the node."""
    return run(ArmNode)
