"""A guarded Gen3 over an emulated robot in the same process, on a clock stepped by hand."""

import numpy as np
import pytest

from tests.arms.kinova.near import NearLink
from tiltbot_ros.arms.commands import Command
from tiltbot_ros.arms.guard import GuardedArm, GuardSettings, rig_limits
from tiltbot_ros.arms.kinova.driver import KinovaArm
from tiltbot_ros.arms.kinova.settings import KinovaSettings
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.pose_by_joints import PoseByJoints, tool_model
from tiltbot_ros.arms.poses import moved, pose_vector
from tiltbot_ros.arms.tool_settings import ToolSettings

LIMITS = load_limits("gen3")


class Flight:
    """Ticks at the arm's rate; a policy of 10 Hz tells deltas of the tool, or joints are told."""

    def __init__(self, *, space="pose", rate_hz=50.0, jitter_s=0.0, link=None, guard=(), **kinova):
        self.link = link or NearLink()
        self.random = np.random.default_rng(7)
        self.jitter_s = jitter_s
        self.arm = KinovaArm(
            KinovaSettings(**kinova),
            self.link,
            rate_hz=rate_hz,
            clock=self.link.ros_ns,
            monotonic=self.now,
        )
        self.settings = GuardSettings(speed_ratio=0.5, deadman_s=0.25, **dict(guard))
        self.limits = rig_limits(LIMITS, self.settings, "joint")
        arm = self.arm
        if space == "pose":
            tool = ToolSettings()
            model = tool_model(tool, robot="gen3", joints=arm.joint_names)
            arm = PoseByJoints(arm, model, self.limits, tool, monotonic=self.now)
        self.guarded = GuardedArm(
            arm, LIMITS, self.settings, space=space, measured=self._measured(space)
        )
        self.link.pass_time(0.05)
        self.guarded.connect()
        self.guarded.take("policy", self.now())
        self.target = self.guarded.stream.reference.position.copy()
        self.n = 0
        self.due_s = self.policy_s = self.now()

    @staticmethod
    def _measured(space):
        if space == "pose":
            return lambda state: pose_vector(state.tool)
        return lambda state: state.positions

    def now(self):
        return self.link.now_s

    def offer(self, position, velocity):
        self.n += 1
        return self.guarded.offer(
            Command(
                commander="policy",
                sequence=self.n,
                stamp_ns=self.link.ros_ns(),
                position=np.asarray(position, dtype=float),
                velocity=np.asarray(velocity, dtype=float),
            ),
            now_s=self.now(),
            now_ns=self.link.ros_ns(),
        )

    def tick(self):
        late_s = self.random.uniform(0.0, self.jitter_s) if self.jitter_s else 0.0
        self.due_s += 1.0 / self.arm.rate_hz
        self.link.pass_time(max(0.001, self.due_s + late_s - self.now()))
        return self.guarded.tick(self.now())

    def wait(self, seconds):
        """Tick, with nobody who commands."""
        end_s = self.now() + seconds
        return [self.tick() for _ in iter(lambda: self.now() < end_s, False)]

    def step(self, delta, steps=1):
        """Tell `steps` deltas of the tool at 10 Hz; each lasts until the next."""
        for _ in range(steps):
            self.target = moved(self.target, np.asarray(delta, dtype=float))
            refusal = self.offer(self.target, np.asarray(delta, dtype=float) * 10.0)
            assert refusal is None, refusal
            self.policy_s = max(self.policy_s + 0.1, self.now())
            while self.now() < self.policy_s:
                self.tick()

    def swing(self, seconds, joint=5, amplitude=0.2, pulse=2.0):
        """Swing one joint."""
        start, begun_s = self.target.copy(), self.now()
        while (t := self.now() - begun_s) < seconds:
            position, velocity = start.copy(), np.zeros(7)
            position[joint] += amplitude * np.sin(pulse * t)
            velocity[joint] = amplitude * pulse * np.cos(pulse * t)
            self.offer(position, velocity)
            self.tick()

    def told(self):
        """(n, 7) what the robot's controller told its joints every ms, turns taken out."""
        return np.unwrap(np.array([told for _, told, _ in self.link.robot.history]), axis=0)

    def path(self):
        """(n, 7) where the joints were every ms."""
        return np.array([q for _, _, q in self.link.robot.history])


@pytest.fixture
def flight():
    return Flight()


@pytest.fixture
def joints():
    return Flight(space="joint")
