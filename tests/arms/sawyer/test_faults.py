"""Stops and faults of the robot, and what does not follow."""

import time

import numpy as np
import pytest

from tests.arms.sawyer.piloting import Pilot
from tiltbot_ros.errors import DeviceError

pytestmark = pytest.mark.realtime


def test_an_emergency_stop_in_motion_is_a_fault_until_a_person_ends_it(pilot, bus):
    pilot.fly(0.5)
    bus.robot.press()
    pilot.until(lambda: pilot.guarded.phase == "fault")
    assert "emergency stop" in pilot.guarded.figures()["reason"]
    held = bus.robot.positions[:]
    pilot.fly(0.3)  # the commander has not noticed
    assert pilot.guarded.stream.refused["fault"] >= 20
    with pytest.raises(DeviceError, match="turn the button"):
        pilot.guarded.recover()
    bus.robot.release()
    assert bus.robot.positions == held
    pilot.until(lambda: "find out why" in pilot.guarded.state.fault)
    pilot.guarded.recover()
    assert bus.robot.enabled
    pilot.fly(0.2, commanding=False)
    # It stands where it was stopped, not where it was told to be before.
    np.testing.assert_allclose(bus.robot.positions, held, atol=1e-6)
    pilot.start = pilot.guarded.state.positions
    pilot.begun_s = time.monotonic()
    pilot.fly(0.5)
    assert pilot.guarded.phase == "following"
    assert abs(pilot.guarded.stream.reference.position[5] - held[5]) > 0.02


@pytest.mark.parametrize(
    ("upset", "words"),
    [
        (lambda robot: robot.joint_fault(), "a joint's fault"),
        (lambda robot: setattr(robot, "collision", True), "collision"),
        (lambda robot: robot.set_enabled(False), "switched off"),
    ],
)
def test_every_fault_of_the_robot_has_words(pilot, bus, upset, words):
    pilot.fly(0.2)
    upset(bus.robot)
    pilot.until(lambda: pilot.guarded.phase == "fault")
    assert words in pilot.guarded.figures()["reason"]


@pytest.mark.parametrize("trouble", ["stuck", "deaf"])
def test_a_joint_that_does_not_follow_is_a_fault(bus, settings, trouble):
    pilot = Pilot(settings, lag_rad=0.05, lag_s=0.1)
    try:
        bus.robot.stuck = 5 if trouble == "stuck" else None
        bus.deaf = trouble == "deaf"  # the commands are lost on the way
        pilot.fly(1.0)
        pilot.until(lambda: pilot.guarded.phase == "fault")
        assert "right_j5 does not follow" in pilot.guarded.figures()["reason"]
    finally:
        pilot.guarded.close()


def test_a_robot_that_falls_silent_is_told(pilot, bus):
    pilot.fly(0.3)
    bus.silent = True
    with pytest.raises(DeviceError, match="no joint states for"):
        pilot.fly(6.0)
