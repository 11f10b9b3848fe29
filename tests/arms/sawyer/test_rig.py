"""The rig `sawyer` from its file to the robot, led by steps of the tool."""

import time

import numpy as np
import pytest

from tests.arms import wild
from tests.arms.sawyer.piloting import settle
from tiltbot_ros.arms.deltas import Step
from tiltbot_ros.arms.guard import rig_limits
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.opening import open_arm
from tiltbot_ros.errors import CommandError
from tiltbot_ros.rigs import load_rig

pytestmark = pytest.mark.realtime

CYCLE_S = 0.01
FORTH = np.array([0.0, 0.003, 0.0, 0.0, 0.0, 0.0])


class Person:
    """Makes steps at the rig's 30 Hz, and lets the arm tick at its 100."""

    def __init__(self, settings, *, dry_run=False):
        rig = load_rig("sawyer")
        # A busy machine is no fault of the robot.
        patient = {"deadman_s": 0.5, "max_age_s": 0.5, "lag_s": 2.0, "lease_s": 30.0}
        guard = rig.guard.model_copy(update=patient)
        sawyer = settings.model_copy(update={"robot_speed_ratio": 0.6, "watchdog_s": 0.5})
        self.rig = rig.model_copy(update={"sawyer": sawyer, "guard": guard})
        self.jump_ns = self.n = 0
        self.arm = open_arm(self.rig, clock=self.ros_ns, dry_run=dry_run)
        self.arm.connect()
        self.begun = self.arm.reference.position.copy()

    def ros_ns(self):
        return time.time_ns() + self.jump_ns

    def offer(self, step):
        refusal = self.arm.step(step, now_s=time.monotonic(), now_ns=self.ros_ns())
        for _ in range(3):
            self.arm.tick(time.monotonic(), self.ros_ns())
            time.sleep(CYCLE_S)
        return refusal

    def lead(self, count, delta=FORTH, *, stamp_ns=None):
        refused = []
        for _ in range(count):
            self.n += 1
            stamp = (stamp_ns or self.ros_ns)()
            step = Step(commander="me", sequence=self.n, stamp_ns=stamp, delta=np.asarray(delta))
            refused.append(self.offer(step))
        return [cause for cause in refused if cause]

    def take(self, commander="me"):
        self.arm.take(commander, time.monotonic())

    @property
    def way(self):
        """How far the measured tool has gone along y [m]."""
        return self.arm.state.tool.position[1] - self.begun[1]

    @property
    def status(self):
        return self.arm.status(time.monotonic())


@pytest.fixture
def level(bus):
    """A robot that holds its tray level."""
    bus.robot.positions = list(load_rig("sawyer").held.level_joints_rad)
    bus.robot.target = list(bus.robot.positions)
    time.sleep(0.1)  # until it has told so
    return bus


def test_steps_lead_the_tray_and_a_second_commander_is_refused(level, settings):
    person = Person(settings)
    try:
        person.take()
        with pytest.raises(CommandError, match="'me' commands it"):
            person.take("policy")
        assert person.lead(15) == []
        assert person.lead(40, np.zeros(6)) == []
        assert person.way == pytest.approx(0.045, abs=2e-3)
        # A tray that was level is level still.
        np.testing.assert_allclose(person.arm.reference.position[3:5], 0.0, atol=0.02)
        assert person.status.fault == ""
    finally:
        person.arm.close()


def test_a_dry_run_previews_and_commands_nothing(level, settings):
    person = Person(settings, dry_run=True)
    person.take()
    assert person.lead(10) == []
    # It keeps up with who leads it, and comes back by the way that braking takes.
    assert person.lead(40, np.zeros(6)) == []
    assert person.arm.reference.position[1] - person.begun[1] == pytest.approx(0.03, abs=5e-4)
    person.arm.close()
    time.sleep(0.2)
    assert level.robot.commands == []


@pytest.mark.parametrize("jump_s", [-3600, 3600])
def test_a_clock_that_jumps_stops_the_arm_until_stamps_fit(level, settings, jump_s):
    person = Person(settings)
    try:
        person.take()
        assert person.lead(8) == []
        person.jump_ns = jump_s * 10**9
        assert set(person.lead(20, stamp_ns=time.time_ns)) == {"stamp"}
        assert person.status.deadman_stops == 1
        before = person.way
        assert person.lead(10) == []
        person.lead(10, np.zeros(6))
        assert person.way > before + 0.02
        assert person.status.fault == ""
    finally:
        person.arm.close()


def test_no_wild_steps_take_the_robot_out_of_its_limits(level, settings):
    person = Person(settings)
    try:
        person.take()
        random = np.random.default_rng(4)
        for step in wild.steps(random, 80, commander="me", clock=person.ros_ns):
            person.offer(step)
        assert set(person.status.refusals) >= wild.CAUSES
        assert person.status.fault == ""
    finally:
        person.arm.close()
    settle(level.robot)
    limits = rig_limits(load_limits("sawyer"), person.rig.guard, "joint")
    path = np.array([positions for _, positions in level.robot.commands])
    assert (path >= limits.lower).all()
    assert (path <= limits.upper).all()
    # The scheduler makes up for a late tick by at most three steps at once.
    assert (np.abs(np.diff(path, axis=0)) <= 3 * CYCLE_S * limits.velocity + 1e-9).all()
    assert np.ptp(path, axis=0).max() > 0.01
