"""A link to the emulated robot in the same process, on one clock that is stepped by hand."""

import numpy as np

from tests.emulators.kortex.robot import GRIPPER, JOINTS, KortexRobot, Message
from tiltbot_ros.arms.kinova.link import JointReading
from tiltbot_ros.errors import DeviceError

EPOCH_NS = 1_760_000_000_000_000_000


class NearLink:
    """Messages arrive after `way_s`, joint states come at `states_hz`."""

    def __init__(self, robot=None, *, way_s=0.002, states_hz=200.0, controllers_behind_s=0.0):
        self.robot = robot or KortexRobot()
        self.now_s = 0.0
        self.way_s, self.period_s = way_s, 1.0 / states_hz
        self.behind_ns = round(controllers_behind_s * 1e9)
        self.sent, self._under_way, self._reading = [], [], None
        self.silent = self.deaf = self.cut = False
        self.broken = ""
        self.listeners = 1
        self.opened = 0
        self._due_s = 0.0

    def pass_time(self, seconds):
        end_s = self.now_s + seconds
        while self.now_s < end_s - 1e-9:
            self.now_s += 0.001
            while self._under_way and self._under_way[0][0] <= self.now_s:
                self._under_way.pop(0)[1]()
            self.robot.step(self.now_s)
            if self.now_s >= self._due_s and not self.silent:
                self._due_s = self.now_s + self.period_s
                self._reading = self._read()

    def _read(self):
        names, positions, velocities = self.robot.joint_states()
        at = dict(zip(names, positions, strict=True))
        speed = dict(zip(names, velocities, strict=True))
        return JointReading(
            stamp_ns=self.ros_ns() - self.behind_ns,
            received_s=self.now_s,
            positions=np.array([at[name] for name in JOINTS]),
            velocities=np.array([speed[name] for name in JOINTS]),
            efforts=np.zeros(7),
            gripper=at[GRIPPER],
        )

    def ros_ns(self):
        return EPOCH_NS + round(self.now_s * 1e9)

    def open(self, *, timeout_s):
        self.opened += 1
        if self.silent:
            self.now_s += timeout_s
            raise DeviceError("expected joint states on joint_states, but none came")

    def reading(self):
        return self._reading

    def controllers(self):
        return self.listeners

    def send_trajectory(self, start_ns, knots):
        if self.cut:
            raise DeviceError("the link is cut")
        self.sent.append((self.now_s, start_ns, list(knots)))
        start_s = 0.0 if start_ns is None else (start_ns + self.behind_ns - EPOCH_NS) * 1e-9
        message = Message(
            names=list(JOINTS),
            stamp_s=start_s,
            times=[knot.time_s for knot in knots],
            positions=[knot.positions.copy() for knot in knots],
            velocities=[knot.velocities.copy() for knot in knots],
        )
        if not self.deaf:
            self._later(lambda: self.robot.trajectory.offer(message, self.now_s))

    def send_twist(self, twist):
        value = np.concatenate((twist[:3], np.rad2deg(twist[3:])))
        self._later(lambda: setattr(self.robot, "twist", value))

    def send_gripper(self, position_rad, *, effort):
        self._later(lambda: setattr(self.robot, "gripper_told", position_rad))

    def _later(self, what):
        self._under_way.append((self.now_s + self.way_s, what))

    def fault(self):
        return self.broken

    def reset_fault(self, *, timeout_s):
        self.robot.clear_fault()
        self.broken = ""

    def close(self):
        pass
