"""The driver with the real franky, and the controller that it talks to, emulated."""

import time

import numpy as np
import pytest

from tests.emulators.fci.process import Emulator
from tiltbot_ros.arms.commands import Command
from tiltbot_ros.arms.franka.driver import FrankaArm
from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.arms.guard import GuardedArm, GuardSettings
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.poses import pose_vector

CYCLE_S = 1 / 30

# A busy machine is no fault of the robot.
PATIENT = {"realtime": "ignore", "state_timeout_s": 0.6, "watchdog_s": 1.0, "connect_s": 4.0}


class Pilot:
    """A guarded Franka with one commander who moves the tool by steps."""

    def __init__(self, settings, *, space="pose", **guard):
        self.limits = load_limits("fr3")
        joints = self.limits.joints.reduced(margin=0.05)
        self.arm = FrankaArm(settings, joints=joints)
        self.guarded = GuardedArm(
            self.arm,
            self.limits,
            GuardSettings(**{"deadman_s": 0.1, "max_age_s": 1.0, **guard}),
            space=space,
            measured=self._pose if space == "pose" else lambda state: state.positions,
        )
        self.guarded.connect()
        self.n = 0
        self.begin()

    @staticmethod
    def _pose(state):
        return pose_vector(state.tool)

    def begin(self):
        """Take the arm and aim at where the reference is."""
        self.guarded.take("pilot", time.monotonic())
        self.target = self.guarded.stream.reference.position.copy()

    def step(self, delta):
        """Aim a step farther, and return why that is refused."""
        self.n += 1
        self.target = self.target + delta
        return self.guarded.offer(
            Command(
                commander="pilot",
                sequence=self.n,
                stamp_ns=time.time_ns(),
                position=self.target,
                velocity=np.asarray(delta) / CYCLE_S,
            ),
            now_s=time.monotonic(),
            now_ns=time.time_ns(),
        )

    def fly(self, seconds, delta=None):
        """Tick, and command a step at each tick unless there is none; return the references."""
        out, due_s = [], time.monotonic()
        for _ in range(round(seconds / CYCLE_S)):
            if delta is not None:
                self.step(np.asarray(delta))
            out.append(self.guarded.tick(time.monotonic()))
            due_s += CYCLE_S
            time.sleep(max(0.0, due_s - time.monotonic()))
        return out

    def rest(self, emulator):
        """Tick until the arm stands; return where its tool is (3,)."""
        still = 0
        end = time.monotonic() + 15.0
        while still < 4:
            self.fly(3 * CYCLE_S, np.zeros(len(self.target)))
            still = still + 1 if emulator.status()["speed"] < 2e-3 else 0
            assert time.monotonic() < end, emulator.status()
        return emulator.tool()[:3, 3]

    def until(self, condition, timeout_s=5.0):
        """Tick until a condition holds."""
        end = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < end, self.guarded.figures()
            self.fly(CYCLE_S)


@pytest.fixture(scope="session")
def running_emulator():
    with Emulator() as made:
        yield made


@pytest.fixture
def emulator(running_emulator):
    """A controller as after a start, for tests that leave it alive."""
    running_emulator.ask("reset")
    yield running_emulator
    running_emulator.wake()


@pytest.fixture
def settings(emulator):
    return FrankaSettings(host=emulator.address, gripper=False, **PATIENT)


@pytest.fixture
def pilot(settings):
    made = Pilot(settings)
    yield made
    made.guarded.close()
