"""When the arm is asked for, and when steps are sent."""

import math

import numpy as np
import pytest

from tiltbot_ros.arms.deltas import DeltaSettings
from tiltbot_ros.teleop.operating import Operator
from tiltbot_ros.teleop.settings import TeleopSettings
from tiltbot_ros.teleop.source import HandSample


class Script:
    """A source that does what the test says."""

    name, help = "script", ""

    def __init__(self):
        self.engaged, self.silent, self.x = False, False, 0.0
        self.asked = ()
        self._last = None

    def read(self, now_s):
        if not self.silent:
            self._last = HandSample(
                received_s=now_s,
                position=np.array([self.x, 0.0, 0.0]),
                rotation=np.eye(3),
                engaged=self.engaged,
                gripper=math.nan,
            )
        return self._last

    def wishes(self):
        found, self.asked = self.asked, ()
        return found


class Room:
    def __init__(self):
        self.source = Script()
        self.operator = Operator(
            self.source,
            TeleopSettings(dead_m=0.0, smoothing_s=0.0),
            DeltaSettings(rate_hz=30.0, step_m=0.004),
        )
        self.now_s = 0.0

    def turn(self, times=1):
        for _ in range(times):
            turn = self.operator.turn(self.now_s)
            self.now_s += 1 / 30
        return turn


@pytest.fixture
def room():
    return Room()


def test_the_arm_is_asked_for_when_the_clutch_closes_and_not_before(room):
    assert not room.turn(30).take
    room.source.engaged = True
    assert room.turn().take
    assert room.turn().step is None
    room.operator.on_arm("teleop", "holding")
    assert room.turn().step is not None


def test_with_an_open_clutch_the_steps_are_zero_and_go_on(room):
    room.source.engaged = True
    room.turn()
    room.operator.on_arm("teleop", "holding")
    room.source.engaged = False
    room.source.x = 0.1
    assert not room.turn().step.any()


def test_who_was_stopped_asks_again_only_after_opening_the_clutch(room):
    room.source.engaged = True
    room.turn()
    room.operator.on_arm("teleop", "following")
    room.turn(3)
    room.operator.on_arm("", "stopping")
    room.source.x = 0.05
    assert room.turn().step is None
    assert not any(room.turn().take for _ in range(90))
    room.source.engaged = False
    room.turn()
    room.source.engaged = True
    assert room.turn().take
    room.operator.on_arm("teleop", "holding")
    assert not room.turn().step.any()  # the way made meanwhile is not caught up


def test_a_fast_hand_sends_no_step_that_the_arm_would_cut(room):
    room.source.engaged = True
    room.turn()
    room.operator.on_arm("teleop", "following")
    room.turn()
    room.source.x = 0.1
    steps = [room.turn().step for _ in range(40)]
    assert max(np.linalg.norm(step[:3]) for step in steps) == pytest.approx(0.004)
    assert sum(step[0] for step in steps) == pytest.approx(0.1)


def test_a_fault_is_not_commanded_into(room):
    room.source.engaged = True
    room.turn()
    room.operator.on_arm("teleop", "fault")
    assert room.turn().step is None


def test_a_refusal_is_not_repeated(room):
    room.source.engaged = True
    assert room.turn().take
    room.operator.on_refused()
    assert not any(room.turn().take for _ in range(90))


def test_the_beginning_of_a_recording_asks_for_the_arm(room):
    room.turn()
    room.source.asked = ("start",)
    turn = room.turn()
    assert (turn.take, turn.wishes) == (True, ("start",))


def test_a_silent_source_sends_nothing(room):
    room.source.engaged = True
    room.turn()
    room.operator.on_arm("teleop", "following")
    assert room.turn().step is not None
    room.source.silent = True
    assert room.turn(10).step is None
