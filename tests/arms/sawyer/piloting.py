"""A commander who swings the wrist of a Sawyer, and what the robot was told."""

import time

import numpy as np

from tiltbot_ros.arms.commands import Command
from tiltbot_ros.arms.guard import GuardedArm, GuardSettings
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.sawyer.driver import SawyerArm

CYCLE_S = 0.01


class Pilot:
    """A guarded Sawyer with one commander who swings the wrist."""

    def __init__(self, settings, **guard):
        self.arm = SawyerArm(settings)
        self.settings = GuardSettings(**{"speed_ratio": 0.3, "deadman_s": 0.1, **guard})
        self.guarded = GuardedArm(self.arm, load_limits("sawyer"), self.settings)
        self.guarded.connect()
        self.start = self.guarded.state.positions
        self.guarded.take("pilot", time.monotonic())
        self.n = 0
        self.begun_s = time.monotonic()

    def command(self):
        self.n += 1
        angle = 0.8 * (time.monotonic() - self.begun_s)
        position, velocity = self.start.copy(), np.zeros(7)
        position[5] += 0.25 * np.sin(angle)
        velocity[5] = 0.25 * 0.8 * np.cos(angle)
        self.guarded.offer(
            Command(
                commander="pilot",
                sequence=self.n,
                stamp_ns=time.time_ns(),
                position=position,
                velocity=velocity,
            ),
            now_s=time.monotonic(),
            now_ns=time.time_ns(),
        )

    def fly(self, seconds, *, commanding=True):
        out = []
        for _ in range(round(seconds / CYCLE_S)):
            if commanding:
                self.command()
            out.append(self.guarded.tick(time.monotonic()))
            time.sleep(CYCLE_S)
        return out

    def until(self, condition, timeout_s=5.0):
        end = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < end, self.guarded.figures()
            self.fly(CYCLE_S, commanding=False)


def speeds(robot, joint=5):
    """Speeds of a joint from one command to the next, as if each were a cycle later [rad/s]."""
    return np.diff([positions[joint] for _, positions in robot.commands]) / CYCLE_S


def until(condition, timeout_s=15.0):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def settle(robot):
    """Wait until the robot has got commands, and gets none any more."""
    until(lambda: robot.commands and time.monotonic() - robot.commands[-1][0] > 0.5)


def ended(pid):
    """Whether a process is gone, or only waits for its parent to notice."""
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True
