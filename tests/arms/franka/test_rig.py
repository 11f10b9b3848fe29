"""The rig `franka` from its file to the robot: steps in, motion out."""

import time

import numpy as np
import pytest

from tests.arms import wild
from tests.arms.franka.conftest import CYCLE_S, PATIENT
from tiltbot_ros.arms.deltas import Step
from tiltbot_ros.arms.guard import rig_limits
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.opening import open_arm
from tiltbot_ros.errors import CommandError
from tiltbot_ros.rigs import load_rig

pytestmark = pytest.mark.realtime

FORTH = [0.002, 0, 0, 0, 0, 0]


@pytest.fixture
def rig(emulator):
    rig = load_rig("franka")
    franka = rig.franka.model_copy(update={**PATIENT, "host": emulator.address})
    patient = {"deadman_s": 1.0, "max_age_s": 1.0, "lease_s": 30.0}
    guard = rig.guard.model_copy(update=patient)
    return rig.model_copy(update={"franka": franka, "guard": guard})


def lead(arm, steps, delta, *, gripper=np.nan, first=1, clock=time.time_ns, stamps=None):
    """Make steps at 30 Hz, stamped by a clock that may be another; return what was refused."""
    refused = []
    due_s = time.monotonic()
    for number in range(first, first + steps):
        now_s, now_ns = time.monotonic(), clock()
        step = Step(
            commander="pilot",
            sequence=number,
            stamp_ns=stamps() if stamps else now_ns,
            delta=np.array(delta),
            gripper=gripper,
        )
        refused.append(arm.step(step, now_s=now_s, now_ns=now_ns))
        arm.tick(now_s, now_ns)
        due_s += CYCLE_S
        time.sleep(max(0.0, due_s - time.monotonic()))
    return [cause for cause in refused if cause]


def test_steps_of_one_commander_move_arm_and_hand(rig, emulator):
    arm = open_arm(rig, clock=time.time_ns)
    assert arm.arm.rate_hz == rig.deltas.rate_hz == 30.0
    arm.connect()
    before = emulator.tool()[:3, 3]
    arm.take("pilot", time.monotonic())
    with pytest.raises(CommandError, match="'pilot' commands it"):
        arm.take("policy", time.monotonic())
    assert lead(arm, 30, [0.002, 0, 0.001, 0, 0, 0], gripper=1.0) == []
    assert lead(arm, 60, np.zeros(6), gripper=1.0, first=31) == []
    np.testing.assert_allclose(emulator.tool()[:3, 3] - before, [0.06, 0, 0.03], atol=4e-3)
    # Nothing is between the fingers.
    assert emulator.status()["hand"]["width"] == pytest.approx(0.0, abs=1e-6)
    assert arm.arm.gripper.missed
    assert "missed" in arm.state.details["hand"]
    arm.close()


@pytest.mark.parametrize("jump_s", [-3600, 3600])
def test_a_clock_that_jumps_stops_the_arm_until_stamps_fit(rig, emulator, jump_s):
    jump_ns = 0

    def clock():
        return time.time_ns() + jump_ns

    arm = open_arm(rig, clock=clock)
    arm.connect()
    arm.take("pilot", time.monotonic())
    assert lead(arm, 10, FORTH) == []
    jump_ns = jump_s * 10**9
    # The commander's clock has not jumped yet; the deadman is a second here.
    refused = lead(arm, 36, FORTH, first=11, clock=clock, stamps=time.time_ns)
    assert refused == ["stamp"] * 36
    assert arm.status(time.monotonic()).deadman_stops == 1
    before = emulator.tool()[0, 3]
    assert lead(arm, 20, FORTH, first=100, clock=clock) == []
    assert emulator.tool()[0, 3] > before + 0.02
    assert abs(arm.state.stamp_ns - clock()) < 3e8
    assert emulator.status()["errors"] == []
    arm.close()


def test_no_wild_steps_take_the_robot_out_of_its_limits(rig, emulator):
    arm = open_arm(rig, clock=time.time_ns)
    arm.connect()
    arm.take("pilot", time.monotonic())
    at = arm.reference.position.copy()
    begun_s, path = emulator.clock_s(), []
    random = np.random.default_rng(5)
    for step in wild.steps(random, 90, commander="pilot", clock=time.time_ns):
        arm.step(step, now_s=time.monotonic(), now_ns=time.time_ns())
        path.append(arm.tick(time.monotonic(), time.time_ns()).position)
        time.sleep(CYCLE_S)
    status, path = arm.status(time.monotonic()), np.array(path)
    assert set(status.refusals) >= wild.CAUSES
    assert status.fault == ""
    limits = rig_limits(load_limits("fr3"), rig.guard, "pose")
    assert (path >= np.minimum(limits.lower, at) - 1e-9).all()
    assert (path <= np.maximum(limits.upper, at) + 1e-9).all()
    # A late tick makes up for at most three.
    assert (np.abs(np.diff(path, axis=0)) <= 3 * CYCLE_S * limits.velocity + 1e-9).all()
    robot = emulator.path(begun_s)
    assert np.ptp(robot[:, 2:5], axis=0).max() > 0.005
    assert robot[:, 5].max() < load_limits("fr3").joints.velocity.min()
    assert emulator.status()["errors"] == []
    arm.close()


def test_a_dry_run_sends_nothing(rig, emulator):
    arm = open_arm(rig, clock=time.time_ns, dry_run=True)
    arm.connect()
    at = emulator.status()["q"]
    arm.take("pilot", time.monotonic())
    assert lead(arm, 15, [0.002, 0, 0, 0, 0, 0], gripper=1.0) == []
    assert arm.reference.position[0] > 0.31
    status = emulator.status()
    assert "move" not in status["requests"]
    assert status["hand"]["requests"] == []
    assert status["q"] == at
    arm.close()
