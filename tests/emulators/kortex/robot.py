"""A Gen3 as ros2_kortex drives it: two controllers, joints with lag, faults. No ROS, no clock.

After ros2_controllers (jazzy), joint_trajectory_controller, with ros2_kortex's parameters:
position commands, splines, no tolerance, each new message replaces the last; after
picknik_controllers, picknik_twist_controller, which reads its last message again for ever;
and after ros2_kortex's hardware interface, which tells joints within (-pi, pi].
"""

from dataclasses import dataclass, field

import mujoco
import numpy as np

from tiltbot_ros.arms.limits import robots_directory

JOINTS = tuple(f"joint_{number}" for number in range(1, 8))
GRIPPER = "robotiq_85_left_knuckle_joint"
START = np.array([-0.0058, 0.3811, 3.1501, -1.557, -0.0034, -1.2035, 0.0033])
SPEED = np.array([1.3963] * 4 + [1.2218] * 3)
ENDS = np.array([np.inf, 2.41, np.inf, 2.66, np.inf, 2.23, np.inf])
FOLLOWING_ERROR = np.deg2rad(5.0)
"""Distance of a command from its joint at which Kinova's actuators fault by default."""
LAG_S = 0.02
STEP_S = 0.001
TWIST_M_S, TWIST_RAD_S = 0.5, 1.74
GRIPPER_RAD_S = 0.5


@dataclass
class Message:
    """What of a trajectory_msgs/JointTrajectory counts. A stamp of 0: from when it comes."""

    names: list
    stamp_s: float
    times: list
    positions: list
    velocities: list


@dataclass
class TrajectoryController:
    """Carries out the last sound message; cubic between points, at rest after the last."""

    active: bool = True
    refused: list = field(default_factory=list)
    taken: int = 0
    _message: Message | None = None
    _start_s: float | None = None
    _before: tuple | None = None

    def offer(self, message, now_s):
        problem = self._problem(message, now_s)
        if problem:
            self.refused.append(problem)
            return False
        if self.active:
            order = [message.names.index(name) for name in JOINTS]
            message.positions = [np.array(p, dtype=float)[order] for p in message.positions]
            message.velocities = [np.array(v, dtype=float)[order] for v in message.velocities]
            self._message, self._start_s, self._before = message, None, None
            self.taken += 1
        return self.active

    @staticmethod
    def _problem(message, now_s):
        """Return why a message is refused, in the words of the controller; empty when it is not."""
        count, times = len(message.names), message.times
        ends_moving = np.abs(message.velocities[-1:]).max(initial=0.0) > np.finfo(np.float32).eps
        ended = message.stamp_s and message.stamp_s + times[-1] < now_s
        sized = [*message.positions, *(v for v in message.velocities if len(v))]
        causes = {
            "Joints on incoming trajectory don't match": sorted(message.names) != sorted(JOINTS),
            "Empty trajectory received": not message.positions,
            "Mismatch between joint_names size and points": any(len(p) != count for p in sized),
            "Velocity of last trajectory point is not zero": ends_moving,
            "Received trajectory that ends in the past": ended,
            "Time between points is not strictly increasing": (np.diff(times) <= 0.0).any(),
        }
        return next((cause for cause, applies in causes.items() if applies), "")

    def command(self, now_s, position, velocity):
        """Return the positions for the next cycle, None without a trajectory."""
        message = self._message
        if message is None or not self.active:
            return None
        if self._start_s is None:
            self._start_s = message.stamp_s or now_s
            # Joints without ends take the shorter way to the first point.
            first = np.array(message.positions[0])
            turned = first - ((first - position + np.pi) % (2 * np.pi) - np.pi)
            self._before = now_s, np.where(np.isinf(ENDS), turned, position), velocity.copy()
        time_s = now_s + STEP_S
        times = [self._start_s + t for t in message.times]
        if time_s < times[0]:
            begun_s, at, speed = self._before
            return _cubic(
                begun_s, at, speed, times[0], message.positions[0], message.velocities[0], time_s
            )
        for i in range(len(times) - 1):
            if times[i] <= time_s < times[i + 1]:
                return _cubic(
                    times[i], message.positions[i], message.velocities[i],
                    times[i + 1], message.positions[i + 1], message.velocities[i + 1], time_s,
                )  # fmt: skip
        return np.array(message.positions[-1])


def _cubic(t0, p0, v0, t1, p1, v1, time_s):
    p0, p1 = np.asarray(p0), np.asarray(p1)
    length = t1 - t0
    s = (time_s - t0) / length
    if not len(v1):  # positions only: a line
        return p0 + s * (p1 - p0)
    a, b = np.asarray(v0) * length, np.asarray(v1) * length
    d = p1 - p0
    return p0 + s * (a + s * ((3 * d - 2 * a - b) + s * (a + b - 2 * d)))


class KortexRobot:
    """Joints, gripper, and the controller that is active."""

    def __init__(self, controller="trajectory", start=START):
        self.now_s = 0.0
        self.q = np.array(start, dtype=float)
        self.dq = np.zeros(7)
        self.told = self.q.copy()
        self.gripper = self.gripper_told = 0.0
        self.fault = ""
        self.jammed = np.zeros(7, dtype=bool)
        self.trajectory = TrajectoryController(active=controller == "trajectory")
        self.twist_active = controller == "twist"
        self.twist = None
        self.history = []
        self._cycles, self._speeds = 0, np.zeros(7)
        spec = mujoco.MjSpec.from_file(str(robots_directory() / "gen3.xml"))
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        self._tool = self._model.site("end_effector_link").id

    def joint_states(self):
        """Names, positions and velocities as the broadcaster sends them: not in our order."""
        wrapped = (self.q + np.pi) % (2 * np.pi) - np.pi
        names = [GRIPPER, *reversed(JOINTS)]
        return names, [self.gripper, *wrapped[::-1]], [0.0, *self.dq[::-1]]

    def step(self, until_s):
        """Let time go on, a millisecond at a time as the controller manager does."""
        while self.now_s + STEP_S <= until_s + 1e-9:
            self.now_s += STEP_S
            self._cycle()

    def clear_fault(self):
        self.fault, self.told = "", self.q.copy()
        self.trajectory._message = None

    def _cycle(self):
        told = None
        self._cycles += 1
        if not self.fault:
            told = self.trajectory.command(self.now_s, self.q, self.dq)
            if self.twist_active and self.twist is not None:
                if self._cycles % 10 == 0:
                    self._speeds = self._joint_speeds()
                told = self.told + STEP_S * self._speeds
        if told is not None:
            self.told = np.asarray(told, dtype=float)
        error = self.told - self.q
        # The hardware takes angles within a turn, and goes the shorter way.
        error = np.where(np.isinf(ENDS), (error + np.pi) % (2 * np.pi) - np.pi, error)
        if not self.fault and (np.abs(error) > FOLLOWING_ERROR).any():
            self.fault = "following error"
        if not self.fault and (np.abs(self.q) > ENDS).any():
            self.fault = "position limit"
        if self.fault:
            error = np.zeros(7)
        self.dq = np.where(self.jammed, 0.0, np.clip(error / LAG_S, -SPEED, SPEED))
        self.q = self.q + STEP_S * self.dq
        way = np.clip(self.gripper_told - self.gripper, -1.0, 1.0)
        self.gripper += float(np.clip(way, -GRIPPER_RAD_S * STEP_S, GRIPPER_RAD_S * STEP_S))
        self.history.append((self.now_s, self.told.copy(), self.q.copy()))
        if len(self.history) > 100_000:
            del self.history[:50_000]

    def _joint_speeds(self):
        """The last twist, in the tool's frame, angles in degrees a second as Kortex has them."""
        linear = np.clip(self.twist[:3], -TWIST_M_S, TWIST_M_S)
        angular = np.clip(np.deg2rad(self.twist[3:]), -TWIST_RAD_S, TWIST_RAD_S)
        self._data.qpos[:7] = self.told
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        jacobian = np.zeros((6, self._model.nv))
        mujoco.mj_jacSite(self._model, self._data, jacobian[:3], jacobian[3:], self._tool)
        turn = self._data.site_xmat[self._tool].reshape(3, 3)
        wanted = np.concatenate((turn @ linear, turn @ angular))
        speeds = np.linalg.pinv(jacobian[:, :7], rcond=0.02) @ wanted
        return np.clip(speeds, -SPEED, SPEED)

    def tool(self):
        """Position and rotation of the end effector."""
        self._data.qpos[:7] = self.q
        mujoco.mj_kinematics(self._model, self._data)
        site = self._data.site_xpos[self._tool], self._data.site_xmat[self._tool]
        return site[0].copy(), site[1].reshape(3, 3).copy()
