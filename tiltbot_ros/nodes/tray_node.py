"""Drives the arm that holds the tray: `tilt` actions in, 100 Hz state out."""

import time
from functools import partial
from typing import TYPE_CHECKING

from rclpy.node import Node
from std_srvs.srv import Trigger

from tiltbot_ros.arms.drivers import ArmSettings, open_tray
from tiltbot_ros.arms.guard import GuardSettings
from tiltbot_ros.arms.held_settings import HeldTraySettings
from tiltbot_ros.arms.kinematic import KinematicSettings
from tiltbot_ros.arms.tilts import TiltSettings
from tiltbot_ros.arms.tool_settings import ToolSettings
from tiltbot_ros.arms.tray import FollowSettings
from tiltbot_ros.errors import DeviceError
from tiltbot_ros.nodes.diagnosing import Diagnostics, Health
from tiltbot_ros.nodes.parameters import declare, declare_dry_run, refuse_unknown
from tiltbot_ros.nodes.rig_parameters import with_driver
from tiltbot_ros.nodes.running import Fault, run
from tiltbot_ros.nodes.tray_server import TrayServer
from tiltbot_ros.nodes.wiring import clock_ns
from tiltbot_ros.rigs import Rig

if TYPE_CHECKING:
    from tiltbot_ros.settings import Settings


class TrayNode(Node):
    """One tray on a real arm, or on none."""

    def __init__(self, fault: Fault) -> None:
        super().__init__("tray")
        dry_run = declare_dry_run(self)
        rig = self._rig()
        self._fault = fault
        self._ticks = 0
        self._driver = open_tray(rig, clock=partial(clock_ns, self), dry_run=dry_run)
        self._server = TrayServer(
            self,
            self._driver,
            tilt=rig.tilt,
            follow=rig.follow,
            rate_hz=rig.arm.rate_hz,
            frame=rig.arm.frame_id,
        )
        self._timer = self.create_timer(1.0 / rig.arm.rate_hz, self._tick)
        if dry_run:
            self.get_logger().warning("dry run: nothing is sent to the arm, see tray/reference")
        self._recovering = self.create_service(Trigger, "~/recover", self._recover)
        self._diagnostics = Diagnostics(self, hardware=rig.arm.driver, health=self._health)

    def _rig(self) -> Rig:
        """Return the groups of settings of this tray; other groups have their defaults."""
        groups: dict[str, Settings] = {
            "arm": declare(self, ArmSettings, "arm"),
            "kinematic": declare(self, KinematicSettings, "kinematic"),
            "guard": declare(self, GuardSettings, "guard"),
            "held": declare(self, HeldTraySettings, "held"),
            "tool": declare(self, ToolSettings, "tool"),
            "tilt": declare(self, TiltSettings, "tilt"),
            "follow": declare(self, FollowSettings, "follow"),
        }
        rig = with_driver(self, groups)
        refuse_unknown(self)
        return rig

    def _tick(self) -> None:
        try:
            self._server.tick(clock_ns(self), time.monotonic())
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
