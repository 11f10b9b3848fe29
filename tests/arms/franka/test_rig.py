"""The rig `franka` from its file to the robot: steps in, motion out."""

import time

import numpy as np
import pytest

from tests.arms.franka.conftest import CYCLE_S, PATIENT
from tiltbot_ros.arms.deltas import Step
from tiltbot_ros.arms.opening import open_arm
from tiltbot_ros.errors import CommandError
from tiltbot_ros.rigs import load_rig

pytestmark = pytest.mark.realtime


@pytest.fixture
def rig(emulator):
    rig = load_rig("franka")
    franka = rig.franka.model_copy(update={**PATIENT, "host": emulator.address})
    guard = rig.guard.model_copy(update={"deadman_s": 1.0, "max_age_s": 1.0})
    return rig.model_copy(update={"franka": franka, "guard": guard})


def lead(arm, steps, delta, *, gripper=np.nan, first=1):
    """Make steps at 30 Hz; return what was refused."""
    refused = []
    due_s = time.monotonic()
    for number in range(first, first + steps):
        now_s, now_ns = time.monotonic(), time.time_ns()
        step = Step(
            commander="pilot",
            sequence=number,
            stamp_ns=now_ns,
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
