"""An arm that takes steps of the tool: sums, deadman, faults, commanders."""

import numpy as np
import pytest

from tests.arms.plain_arm import LIMITS, TOOL, PlainArm
from tiltbot_ros.arms.commanded import CommandedArm
from tiltbot_ros.arms.commands import Command
from tiltbot_ros.arms.deltas import DeltaSettings, Step
from tiltbot_ros.arms.gripping import GripperSettings
from tiltbot_ros.arms.guard import GuardSettings
from tiltbot_ros.arms.preview import PreviewArm
from tiltbot_ros.errors import CommandError, ConfigError, DeviceError

DEADMAN_S = 0.25
POLICY_HZ = 10.0


class Bench:
    """One arm, its clock, and a commander at the policy's rate."""

    def __init__(self, arm=None, **settings):
        self.arm = arm or PlainArm()
        self.now_s, self.jump_ns, self.sequence = 100.0, 0, 0
        self.made = CommandedArm(
            self.arm,
            LIMITS,
            guard=GuardSettings(deadman_s=DEADMAN_S, speed_ratio=1.0, acceleration_ratio=1.0),
            deltas=DeltaSettings(rate_hz=POLICY_HZ, **settings),
            gripper=GripperSettings(),
        )
        self.made.connect()
        self.path = []

    @property
    def now_ns(self):
        return int(self.now_s * 1e9) + self.jump_ns

    def take(self, commander="person"):
        self.made.take(commander, self.now_s)

    def step(self, delta, *, commander="person", gripper=np.nan, age_s=0.0, sequence=None):
        self.sequence += 1
        step = Step(
            commander=commander,
            sequence=self.sequence if sequence is None else sequence,
            stamp_ns=self.now_ns - int(age_s * 1e9),
            delta=np.array(delta, dtype=np.float64),
            gripper=gripper,
        )
        return self.made.step(step, now_s=self.now_s, now_ns=self.now_ns)

    def rest(self):
        """Command no motion for a second: the arm comes to where it was told to be."""
        for _ in range(10):
            assert self.step([0.0] * 6) is None
            self.run(0.1)

    def run(self, seconds):
        for _ in range(round(seconds * self.arm.rate_hz)):
            self.made.tick(self.now_s, self.now_ns)
            self.path.append(self.made.reference.position.copy())
            self.now_s += 1.0 / self.arm.rate_hz


def along_x(metres):
    return [metres, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_a_sum_of_steps_arrives_whole_and_smoothly():
    bench = Bench()
    bench.take()
    for _ in range(40):
        assert bench.step(along_x(0.003)) is None
        bench.run(0.1)
    bench.rest()
    assert bench.arm.pose[0] - TOOL[0] == pytest.approx(0.120, abs=1e-6)
    speed = np.diff(np.array(bench.path)[:, 0]) * 100.0
    assert speed[50:390].min() > 0.029  # no rest between the steps
    assert speed[50:390].max() < 0.031


def test_silence_stops_the_arm_within_the_deadman_and_one_cycle():
    bench = Bench()
    bench.take()
    for _ in range(5):
        bench.step(along_x(0.02))
        bench.run(0.1)
    heard_s = bench.now_s - 0.1
    while bench.made.status(bench.now_s).phase == "following":
        bench.run(0.01)
    assert bench.now_s - 0.01 - heard_s <= DEADMAN_S + 0.01 + 1e-9
    status = bench.made.status(bench.now_s)
    assert status.deadman_stops == 1
    assert "no command" in status.reason
    bench.run(1.0)
    assert bench.made.status(bench.now_s).phase == "holding"


def test_a_stop_that_cut_a_way_short_does_not_jump_when_steps_come_again():
    bench = Bench()
    bench.take()
    bench.step(along_x(0.02))
    bench.run(0.03)
    bench.made.stop("a person says so", bench.now_s)
    bench.run(0.5)
    stood = bench.made.reference.position[0]
    assert stood - TOOL[0] < 0.015
    bench.take()
    bench.step(along_x(0.0))
    bench.run(0.5)
    assert bench.made.reference.position[0] == pytest.approx(stood, abs=1e-9)


def test_a_stop_takes_the_arm_from_who_streams_on():
    bench = Bench()
    bench.take()
    bench.step(along_x(0.01))
    bench.run(0.05)
    bench.made.stop("a person says so", bench.now_s)
    assert bench.step(along_x(0.01)) == "commander"
    bench.run(0.3)
    status = bench.made.status(bench.now_s)
    assert (status.phase, status.reason, status.commander) == ("holding", "a person says so", "")


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        ({"delta": along_x(np.nan)}, "numbers"),
        ({"delta": along_x(np.inf)}, "numbers"),
        ({"delta": along_x(0.0), "gripper": np.inf}, "numbers"),
        ({"delta": [0.0] * 5}, "shape"),
        ({"delta": along_x(1.0)}, "far"),
        ({"delta": along_x(0.0), "age_s": 1.0}, "stamp"),
        ({"delta": along_x(0.0), "age_s": -1.0}, "stamp"),
        ({"delta": along_x(0.0), "sequence": 1}, "sequence"),
        ({"delta": along_x(0.0), "commander": "somebody"}, "commander"),
    ],
)
def test_unsound_steps_are_refused_counted_and_feed_no_deadman(wrong, cause):
    bench = Bench()
    bench.take()
    for _ in range(3):
        assert bench.step(along_x(0.01)) is None
        bench.run(0.1)
    bench.rest()
    for _ in range(5):
        assert bench.step(**wrong) == cause
        bench.run(0.1)
    status = bench.made.status(bench.now_s)
    assert status.refusals == {cause: 5}
    assert (status.phase, status.deadman_stops) == ("holding", 1)
    assert bench.arm.pose[0] - TOOL[0] == pytest.approx(0.03, abs=1e-6)


def test_a_clock_that_jumps_stops_the_arm_until_stamps_fit():
    bench = Bench()
    bench.take()
    bench.step(along_x(0.01))
    bench.run(0.1)
    bench.rest()
    bench.jump_ns = 10**12
    for _ in range(4):
        assert bench.step(along_x(0.01), age_s=1000.0) == "stamp"
        bench.run(0.1)
    assert bench.made.status(bench.now_s).deadman_stops == 1
    assert bench.step(along_x(0.01)) is None
    bench.run(0.1)
    bench.rest()
    assert bench.arm.pose[0] - TOOL[0] == pytest.approx(0.02, abs=1e-6)


def test_a_second_commander_is_refused_with_the_name_of_the_first():
    bench = Bench()
    bench.take("ada")
    with pytest.raises(CommandError, match="'ada' commands it"):
        bench.take("ben")
    bench.made.release("ben", bench.now_s)
    assert bench.made.status(bench.now_s).commander == "ada"
    bench.made.release("ada", bench.now_s)
    bench.take("ben")
    assert bench.made.status(bench.now_s).commander == "ben"


def test_a_commander_that_starts_anew_may_count_anew():
    bench = Bench()
    bench.take()
    assert bench.step(along_x(0.0), sequence=1000) is None
    assert bench.step(along_x(0.0), sequence=1) == "sequence"
    bench.take()
    assert bench.step(along_x(0.0), sequence=1) is None


def test_a_fault_stops_and_waits_for_recovery():
    bench = Bench()
    bench.take()
    bench.step(along_x(0.01))
    bench.run(0.05)
    bench.arm.fault = "collision"
    bench.run(0.05)
    assert bench.step(along_x(0.01)) == "fault"
    status = bench.made.status(bench.now_s)
    assert (status.phase, status.fault) == ("fault", "collision")
    bench.made.recover()
    bench.run(0.02)
    assert bench.step(along_x(0.01)) is None


def test_a_lost_connection_is_told():
    bench = Bench()
    bench.arm.lost = True
    with pytest.raises(DeviceError, match="cable"):
        bench.run(0.01)
    assert bench.arm.told["stop"] == 1


def test_an_arm_that_is_stuck_is_not_pressed_beyond_the_lead():
    bench = Bench(lead_m=0.03)
    bench.take()
    bench.arm.stuck = True
    for _ in range(20):
        bench.step(along_x(0.02))
        bench.run(0.1)
    assert max(position[0] for position in bench.path) - TOOL[0] <= 0.03 + 1e-9
    assert bench.made.status(bench.now_s).clamped > 10


def test_joint_targets_are_taken_while_the_arm_stands_and_steps_after():
    bench = Bench()
    bench.take()
    wanted = bench.arm.joints + 0.05

    def target(sequence):
        return bench.made.joints(
            Command(commander="person", sequence=sequence, stamp_ns=bench.now_ns, position=wanted),
            now_s=bench.now_s,
            now_ns=bench.now_ns,
        )

    bench.step(along_x(0.01))
    assert target(1) == "space"  # it still moves
    bench.run(0.1)
    bench.run(DEADMAN_S + 0.5)
    for sequence in range(2, 12):
        assert target(sequence) is None
        bench.run(0.1)
    np.testing.assert_allclose(bench.arm.joints, wanted, atol=1e-3)
    assert bench.made.status(bench.now_s).space == "joint"
    assert bench.step(along_x(0.01)) == "space"
    bench.run(DEADMAN_S + 0.5)
    assert bench.step(along_x(0.01)) is None


def test_an_arm_without_poses_refuses_steps():
    bench = Bench(PlainArm(spaces=("joint",)))
    bench.take()
    assert bench.step(along_x(0.01)) == "space"


def test_the_gripper_follows_its_number_and_grasps_at_the_end():
    bench = Bench()
    bench.take()
    for value in (0.0, 0.5, 0.51, 1.0, np.nan, 0.0):
        bench.step(along_x(0.0), gripper=value)
        bench.run(0.2)
    assert [move[:2] for move in bench.arm.gripper.moves] == [
        ("move", 0.08),
        ("move", 0.04),
        ("grasp", 0.0),
        ("move", 0.08),
    ]


def test_a_dry_run_moves_the_reference_and_nothing_else():
    arm = PlainArm()
    bench = Bench(PreviewArm(arm))
    bench.take()
    for _ in range(12):
        assert bench.step(along_x(0.010), gripper=1.0) is None
        bench.run(0.1)
    bench.rest()
    assert bench.made.reference.position[0] - TOOL[0] == pytest.approx(0.120)
    bench.made.stop("enough", bench.now_s)
    bench.run(0.5)
    with pytest.raises(DeviceError, match="dry run"):
        bench.made.recover()
    bench.made.close()
    assert dict(arm.told) == {"connect": 1, "close": 1}
    np.testing.assert_array_equal(arm.pose, TOOL)


def test_no_steps_of_anybody_leave_the_limits():
    """Sound, absurd, late, doubled and foreign steps, silence, stops, jumps of the clock."""
    random = np.random.default_rng(11)
    limits = LIMITS.pose
    causes = set()
    for _ in range(30):
        bench = Bench(PlainArm(lag=random.uniform(0.0, 0.9)), lead_m=0.04)
        bench.take()
        for _ in range(25):
            delta = random.uniform(-0.03, 0.03, 6) * random.choice([0.1, 1.0, 1.0, 100.0])
            if random.random() < 0.1:
                delta[random.integers(6)] = random.choice([np.nan, np.inf, -np.inf])
            bench.step(
                delta,
                commander=random.choice(["person", "person", "person", "other"]),
                age_s=random.choice([0.0, 0.0, 0.0, 5.0, -5.0]),
                sequence=None if random.random() < 0.9 else 1,
            )
            if random.random() < 0.05:
                bench.jump_ns += int(random.choice([-1, 1]) * 10**10)
            if random.random() < 0.05:
                bench.made.stop("fuzz", bench.now_s)
                bench.take()
            bench.run(random.choice([0.01, 0.05, 0.1, 0.3]))
        path = np.array(bench.path)
        assert (path >= np.minimum(limits.lower, TOOL) - 1e-9).all()
        assert (path <= limits.upper + 1e-9).all()
        speed = np.diff(path, axis=0) * 100.0
        assert (np.abs(speed) <= limits.velocity + 1e-6).all()
        assert (np.abs(np.diff(speed, axis=0)) * 100.0 <= limits.acceleration + 1e-4).all()
        causes |= set(bench.made.status(bench.now_s).refusals)
    assert causes >= {"numbers", "far", "stamp", "sequence", "commander"}


def test_missed_cycles_are_counted():
    bench = Bench()
    bench.run(0.1)
    bench.now_s += 0.05
    bench.run(0.1)
    assert bench.made.status(bench.now_s).missed_cycles == 5


def test_a_deadman_shorter_than_a_step_is_refused():
    with pytest.raises(ConfigError, match=r"guard\.deadman_s of at least 0\.150"):
        CommandedArm(
            PlainArm(),
            LIMITS,
            guard=GuardSettings(deadman_s=0.1),
            deltas=DeltaSettings(rate_hz=10.0),
            gripper=GripperSettings(),
        )
