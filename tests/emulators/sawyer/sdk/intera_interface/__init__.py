"""Rethink's SDK as the side process sees it: same names, same failures, same waiting.

After RethinkRobotics/intera_sdk, intera_interface/limb.py and robot_enable.py. That
it agrees with the real one shows when the tests of the driver run on that one, too:
`INTERA_SDK=FOLDER ./run test-sawyer`.
"""

import errno
import os
import threading
import time
from typing import NamedTuple

import rospy

SDK_VERSION = "5.3.0"
POSITION_MODE = 1
ESTOP_BUTTON_PRESSED = 1


class State(NamedTuple):
    homed: bool
    ready: bool
    enabled: bool
    stopped: bool
    error: bool
    lowVoltage: bool  # noqa: N815 - the message's name
    estop_button: int
    estop_source: int


def wait_for(test, timeout, timeout_msg, body=None):
    """As intera_dataflow.wait_for: every failure is an OSError."""
    end = time.time() + timeout
    while not test():
        if time.time() >= end:
            raise OSError(errno.ETIMEDOUT, timeout_msg)
        if body is not None:
            body()
        time.sleep(0.01)


class RobotEnable:
    def __init__(self, versioned=False):
        self._state = None
        rospy.bus.listen(self._on_packet)
        wait_for(
            lambda: self._state is not None,
            timeout=float(os.environ.get("EMULATED_SAWYER_WAIT_S", "10.0")),
            timeout_msg="Failed to get robot state on robot/state",
        )

    def _on_packet(self, packet):
        self._state = State(**{name: packet["status"][name] for name in State._fields})

    def state(self):
        return self._state

    def enable(self):
        if self._state.stopped:
            self.reset()
        self._toggle_enabled(True)

    def disable(self):
        self._toggle_enabled(False)

    def _toggle_enabled(self, status):
        wait_for(
            lambda: self._state.enabled == status,
            timeout=5.0,
            timeout_msg=f"Failed to {'en' if status else 'dis'}able robot",
            body=lambda: rospy.bus.publish("set_super_enable", status),
        )

    def reset(self):
        if not self._state.stopped:
            raise OSError(errno.EREMOTEIO, "Failed to Reset due to lack of Error State.")
        if self._state.estop_button == ESTOP_BUTTON_PRESSED:
            raise OSError(errno.EREMOTEIO, "Failed to Reset: E-Stop Engaged")
        wait_for(
            lambda: (
                not self._state.stopped
                and not self._state.error
                and self._state.estop_button == 0
                and self._state.estop_source == 0
            ),
            timeout=5.0,
            timeout_msg="Failed to reset robot.",
            body=lambda: rospy.bus.publish("set_super_reset", None),
        )


class Limb:
    class Point(NamedTuple):
        x: float
        y: float
        z: float

    class Quaternion(NamedTuple):
        x: float
        y: float
        z: float
        w: float

    def __init__(self, limb="right", synchronous_pub=False):
        if limb != "right":
            return  # the SDK logs an error and leaves the object half made
        self.name = limb
        self._joint_names = [f"right_j{number}" for number in range(7)]
        self._joint_angle = {}
        self._pose = {}
        self._collision = False
        self._lock = threading.Lock()
        rospy.bus.listen(self._on_packet)
        wait_for(
            lambda: self._joint_angle,
            timeout=5.0,
            timeout_msg="Right limb init failed to get current joint_states from "
            "/robot/joint_states",
        )

    def _on_packet(self, packet):
        for name, position in zip(packet["name"], packet["position"]):  # noqa: B905 - Python 3.8
            if name in self._joint_names:
                self._joint_angle[name] = position
        self._pose = {
            "position": self.Point(*packet["status"]["position"]),
            "orientation": self.Quaternion(*packet["status"]["orientation"]),
        }
        self._collision = packet["status"]["collision"]

    def joint_names(self):
        return self._joint_names

    def joint_angles(self):
        return dict(self._joint_angle)

    def endpoint_pose(self):
        return dict(self._pose)

    def has_collided(self):
        return self._collision

    def set_command_timeout(self, timeout):
        rospy.bus.publish("joint_command_timeout", timeout)

    def set_joint_position_speed(self, speed=0.3):
        rospy.bus.publish("set_speed_ratio", speed)

    def exit_control_mode(self, timeout=0.2):
        self.set_command_timeout(timeout)
        self.set_joint_positions(self.joint_angles())

    def set_joint_positions(self, positions):
        rospy.bus.publish(
            "joint_command",
            {
                "names": list(positions.keys()),
                "positions": list(positions.values()),
                "mode": POSITION_MODE,
            },
        )
