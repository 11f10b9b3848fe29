"""Drives the arm that holds the tray: `tilt` actions in, 100 Hz state out."""

import time

from rclpy.node import Node
from std_srvs.srv import Trigger

from tiltbot_ros.arms.drivers import ArmSettings, TraySetup, open_tray
from tiltbot_ros.arms.guard import GuardSettings
from tiltbot_ros.arms.held_settings import HeldTraySettings
from tiltbot_ros.arms.kinematic import KinematicSettings
from tiltbot_ros.arms.mujoco_arm_settings import MujocoArmSettings
from tiltbot_ros.arms.sawyer.settings import SawyerSettings
from tiltbot_ros.arms.tilts import TiltSettings
from tiltbot_ros.arms.tray import FollowSettings
from tiltbot_ros.errors import DeviceError
from tiltbot_ros.nodes.diagnosing import Diagnostics, Health
from tiltbot_ros.nodes.parameters import declare, declare_dry_run, refuse_unknown
from tiltbot_ros.nodes.running import Fault, run
from tiltbot_ros.nodes.tray_server import TrayServer


class TrayNode(Node):
    """One tray on a real arm, or on none."""

    def __init__(self, fault: Fault) -> None:
        super().__init__("tray")
        setup = TraySetup(
            arm=declare(self, ArmSettings, "arm"),
            kinematic=declare(self, KinematicSettings, "kinematic"),
            guard=declare(self, GuardSettings, "guard"),
            held=declare(self, HeldTraySettings, "held"),
            mujoco_arm=declare(self, MujocoArmSettings, "mujoco_arm"),
            sawyer=declare(self, SawyerSettings, "sawyer"),
            tilt=declare(self, TiltSettings, "tilt"),
        )
        follow = declare(self, FollowSettings, "follow")
        dry_run = declare_dry_run(self)
        refuse_unknown(self)
        self._fault = fault
        self._ticks = 0
        clock = self.get_clock()
        self._driver = open_tray(setup, clock=lambda: clock.now().nanoseconds, dry_run=dry_run)
        self._server = TrayServer(
            self,
            self._driver,
            tilt=setup.tilt,
            follow=follow,
            rate_hz=setup.arm.rate_hz,
            frame=setup.arm.frame_id,
        )
        self._timer = self.create_timer(1.0 / setup.arm.rate_hz, self._tick)
        if dry_run:
            self.get_logger().warning("dry run: nothing is sent to the arm, see tray/reference")
        self._recovering = self.create_service(Trigger, "~/recover", self._recover)
        self._diagnostics = Diagnostics(self, hardware=setup.arm.driver, health=self._health)

    def _tick(self) -> None:
        try:
            self._server.tick(self.get_clock().now().nanoseconds, time.monotonic())
        except DeviceError as error:
            self._fault.set(error)
        self._ticks += 1

    def _health(self) -> Health:
        ticks, self._ticks = self._ticks, 0
        fault = self._driver.fault
        return Health(
            level="error" if fault else "ok",
            message=fault or "running",
            values={"rate [Hz]": ticks, **self._driver.figures()},
        )

    def _recover(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            self._server.recover()
        except DeviceError as error:
            response.message = str(error)
        else:
            response.success, response.message = True, "the tray is level"
        return response

    def close(self) -> None:
        """Stop the tray before ROS goes."""
        self._timer.cancel()
        self._server.close()


def main() -> int:
    """Run the node."""
    return run(TrayNode)
