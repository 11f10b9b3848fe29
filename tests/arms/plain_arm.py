"""An arm that follows its references a little late, and counts all that it is told."""

from collections import Counter

import numpy as np

from tiltbot_ros.arms.arm import ArmState
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.poses import tool_pose
from tiltbot_ros.errors import DeviceError

LIMITS = load_limits("gen3")
HOME = np.array([0.0, 0.26, 3.14, -2.27, 0.0, 0.96, 1.57])
TOOL = np.array([0.5, 0.0, 0.3, 0.0, 0.0, 0.0])


class PlainGripper:
    max_width_m = 0.08

    def __init__(self, told):
        self._told = told
        self.width_m = 0.08
        self.moving = False
        self.moves = []

    def move(self, width_m, *, speed_m_s):
        self._told["gripper"] += 1
        self.moves.append(("move", round(width_m, 6), speed_m_s))
        self.width_m = width_m

    def grasp(self, width_m, *, speed_m_s, force_n):
        self._told["gripper"] += 1
        self.moves.append(("grasp", width_m, force_n))
        self.width_m = 0.03

    def stop(self):
        self._told["gripper_stop"] += 1


class PlainArm:
    """Joints and a pose that have nothing to do with each other."""

    name = "plain"
    joint_names = LIMITS.joints.names
    rate_hz = 100.0

    def __init__(self, *, lag=0.5, spaces=("joint", "pose"), gripper=True):
        self.spaces = frozenset(spaces)
        self.told = Counter()
        self.gripper = PlainGripper(self.told) if gripper else None
        self.joints, self.pose = HOME.copy(), TOOL.copy()
        self.fault, self.lost, self.stuck = "", False, False
        self._keep = lag

    def connect(self):
        self.told["connect"] += 1

    def state(self):
        if self.lost:
            raise DeviceError("the cable is out")
        zero = np.zeros(7)
        return ArmState(
            stamp_ns=0,
            positions=self.joints.copy(),
            velocities=zero,
            efforts=zero,
            tool=tool_pose(self.pose),
            fault=self.fault,
        )

    def stream_joints(self, position, velocity):
        self.told["joints"] += 1
        self.joints = self.joints + (1 - self._keep) * (position - self.joints)

    def stream_pose(self, pose, velocity):
        self.told["pose"] += 1
        if not self.stuck:
            self.pose = self.pose + (1 - self._keep) * (pose - self.pose)

    def stop(self):
        self.told["stop"] += 1

    def recover(self):
        self.told["recover"] += 1
        self.fault = ""

    def close(self):
        self.told["close"] += 1
