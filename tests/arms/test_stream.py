import os
import random

import numpy as np
import pytest

from tiltbot_ros.arms.commands import REFUSALS, Command
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.stream import Stream, StreamSettings
from tiltbot_ros.errors import CommandError

EPOCH_NS = 1_760_000_000_000_000_000


class Desk:
    """A stream with a commander, its clocks, and a period of 10 ms."""

    def __init__(self, **settings):
        self.settings = StreamSettings(**settings)
        limits = load_limits("sawyer").joints.reduced(
            speed=self.settings.speed_ratio, acceleration=self.settings.acceleration_ratio
        )
        self.stream = Stream(limits, self.settings, space="joint", rate_hz=100.0)
        self.stream.place(np.zeros(7))
        self.now_s, self.offset_ns, self.sequence = 50.0, 0, 0
        self.stream.take("me", self.now_s)

    @property
    def now_ns(self):
        return EPOCH_NS + self.offset_ns + int(self.now_s * 1e9)

    def offer(self, position=0.1, *, commander="me", sequence=None, age_s=0.0, velocity=None):
        self.sequence += 1
        position = np.full(7, position) if np.isscalar(position) else np.asarray(position)
        command = Command(
            commander=commander,
            sequence=self.sequence if sequence is None else sequence,
            stamp_ns=self.now_ns - int(age_s * 1e9),
            position=position,
            velocity=velocity,
        )
        return self.stream.offer(command, now_s=self.now_s, now_ns=self.now_ns)

    def tick(self, seconds=0.01):
        out = []
        for _ in range(round(seconds * 100)):
            self.now_s += 0.01
            out.append(self.stream.tick(self.now_s))
        return out


def test_commands_become_motion_and_silence_becomes_a_stop():
    desk = Desk(deadman_s=0.1)
    for _ in range(20):
        assert desk.offer(0.15) is None
        desk.tick()
    assert desk.stream.phase == "following"
    moving = desk.stream.reference.velocity
    assert (moving > 0.05).all()
    silence = desk.tick(1.5)
    phases = [reference.phase for reference in silence]
    # The last command was one tick ago: it stops with the first tick past the deadman.
    assert phases.index("stopping") in {9, 10}
    assert phases[-1] == "holding"
    assert not silence[-1].velocity.any()
    assert silence[-1].reason == "no command for 0.1 s"
    assert desk.stream.deadman_stops == 1


def test_an_arm_that_stopped_goes_on_with_the_next_sound_command():
    desk = Desk()
    desk.offer(0.1)
    desk.tick(1.0)
    assert desk.stream.phase == "holding"
    assert desk.offer(0.1) is None
    assert desk.stream.phase == "following"


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        ({"position": [np.nan] * 7}, "numbers"),
        ({"position": [0.0] * 6 + [np.inf]}, "numbers"),
        ({"velocity": np.array([0.0] * 6 + [-np.inf])}, "numbers"),
        ({"position": [0.1] * 6}, "shape"),
        ({"velocity": np.zeros(3)}, "shape"),
        ({"position": 1e6}, "far"),
        ({"position": 0.3}, "far"),
        ({"age_s": 0.2}, "stamp"),
        ({"age_s": -0.2}, "stamp"),
        ({"sequence": -5}, "sequence"),
        ({"commander": "you"}, "commander"),
    ],
)
def test_an_unsound_command_is_refused_counted_and_feeds_no_deadman(wrong, cause):
    desk = Desk(deadman_s=0.05)
    assert desk.offer(0.1) is None
    desk.tick()
    phases = []
    for _ in range(30):
        assert desk.offer(**{"position": 0.1, **wrong}) == cause
        phases.append(desk.tick()[0].phase)
    assert desk.stream.refused == {cause: 30}
    assert phases.index("stopping") <= 6


def test_a_repeated_or_late_command_is_refused():
    desk = Desk()
    assert desk.offer(0.1, sequence=7) is None
    assert desk.offer(0.1, sequence=7) == "sequence"
    assert desk.offer(0.1, sequence=6) == "sequence"
    assert desk.offer(0.1, sequence=8) is None


def test_too_fast_a_target_is_slowed_down_and_too_far_a_one_ends_at_the_limit():
    desk = Desk(largest_step_rad=7.0)
    limits = desk.stream.limits
    for _ in range(900):
        assert desk.offer(6.0, velocity=np.full(7, 1e9)) is None
        reference = desk.tick()[0]
        assert (np.abs(reference.velocity) <= limits.velocity + 1e-9).all()
    np.testing.assert_allclose(reference.position[:6], limits.upper[:6], atol=1e-6)


def test_a_jump_of_the_clock_stops_the_arm_and_new_stamps_go_on():
    desk = Desk(deadman_s=0.05)
    desk.offer(0.1)
    desk.tick()
    for jump_s in (3600.0, -3600.0):
        old_ns, desk.offset_ns = desk.offset_ns, desk.offset_ns + int(jump_s * 1e9)
        refused = []
        for _ in range(60):  # the commander's clock has not jumped yet
            refused.append(desk.offer(0.1, age_s=(desk.offset_ns - old_ns) * 1e-9))
            desk.tick()
        assert set(refused) == {"stamp"}
        assert desk.stream.phase == "holding"
        assert desk.offer(0.1) is None
        desk.tick()


def test_a_monotonic_clock_that_goes_back_moves_nothing_and_one_that_leaps_stops_the_arm():
    """No computer's does, but a machine that was suspended or moved comes near to it."""
    desk = Desk(deadman_s=0.05)
    speed = np.full(7, 0.2)
    for _ in range(30):
        desk.offer(0.2 * (desk.now_s - 50.0), velocity=speed)
        desk.tick()
    stood = desk.stream.reference.position
    desk.now_s -= 5.0
    back = desk.tick(0.5)
    assert all((reference.position == stood).all() for reference in back)
    desk.now_s += 3600.0
    leapt = desk.tick(0.5)
    path = np.array([stood, *(reference.position for reference in leapt)])
    assert (np.abs(np.diff(path, axis=0)) <= 3 * 0.01 * desk.stream.limits.velocity + 1e-9).all()
    assert leapt[0].phase == "stopping"
    assert leapt[-1].phase == "holding"
    desk.stream.take("me", desk.now_s)
    assert desk.offer(path[-1]) is None


def test_only_one_commands_at_a_time():
    desk = Desk(lease_s=1.0)
    desk.offer(0.1)
    with pytest.raises(CommandError, match="'me' commands it"):
        desk.stream.take("you", desk.now_s)
    desk.tick(0.9)
    with pytest.raises(CommandError):
        desk.stream.take("you", desk.now_s)
    desk.tick(0.2)
    desk.stream.take("you", desk.now_s)
    assert desk.offer(0.1) == "commander"
    assert desk.offer(0.1, commander="you", sequence=1) is None


def test_who_gives_the_arm_back_leaves_it_standing():
    desk = Desk()
    desk.offer(0.2)
    desk.tick(0.05)
    desk.stream.give("me")
    desk.stream.take("you", desk.now_s)
    last = desk.tick(1.0)[-1]
    assert last.phase == "holding"
    assert last.reason == "'me' gave the arm back"
    assert desk.offer(0.1) == "commander"


def test_a_fault_stops_smoothly_and_refuses_until_placed_again():
    desk = Desk()
    for _ in range(10):
        desk.offer(0.15)
        desk.tick()
    desk.stream.fault("reflex")
    assert desk.offer(0.15) == "fault"
    before = desk.stream.reference
    after = desk.tick(0.02)[-1]
    assert (
        np.abs(after.velocity - before.velocity) <= desk.stream.limits.acceleration * 0.02
    ).all()
    desk.stream.stop("not now")
    assert desk.tick(1.0)[-1].reason == "reflex"
    desk.stream.place(np.full(7, 0.3))
    assert desk.stream.phase == "holding"
    assert desk.offer(0.35) is None


def test_a_stall_slows_down_and_a_burst_of_ticks_does_not_hurry():
    desk = Desk(deadman_s=2.0)
    desk.offer(0.15, velocity=np.full(7, 0.1))
    desk.tick(0.3)
    before = desk.stream.reference
    desk.now_s += 0.5  # a stall
    positions = [before.position]
    for _ in range(50):  # all timers at once
        desk.now_s += 1e-5
        positions.append(desk.stream.tick(desk.now_s).position)
    assert desk.stream.skipped_ticks >= 48
    assert (np.abs(positions[-1] - positions[0]) <= desk.stream.limits.velocity * 0.04 + 1e-9).all()


def test_a_tick_that_is_a_little_late_keeps_pace():
    on_time, late = Desk(), Desk()
    speed = np.full(7, 0.2)
    for desk, ticks in ((on_time, [1] * 60), (late, [1, 2, 3, 1, 2, 1] * 6)):
        for periods in ticks:
            desk.now_s += 0.01 * periods
            desk.offer(0.2 * (desk.now_s - 50.0), velocity=speed)
            desk.stream.tick(desk.now_s)
    np.testing.assert_allclose(
        late.stream.reference.position, on_time.stream.reference.position, atol=2e-3
    )


class Chance:
    """Random numbers, drawn in bulk: one at a time they cost more than what they test."""

    def __init__(self, seed, n):
        self.pick = random.Random(seed)  # noqa: S311
        self._normal = np.random.default_rng(seed).standard_normal((4096, n))

    def vector(self):
        return self._normal[self.pick.randrange(4096)]

    def power(self, low, high):
        return 10.0 ** self.pick.uniform(low, high)


def wild(chance, desk, n):
    """Offer one command that may have anything wrong with it."""
    pick = chance.pick
    kind = pick.randrange(12)
    position = desk.stream.reference.position + pick.uniform(-0.25, 0.25) * chance.vector()
    velocity = None if kind % 2 else chance.vector() * chance.power(-2, 9)
    sequence, age_s, commander = None, 0.0, "me"
    if kind == 0:
        position[pick.randrange(n)] = pick.choice((np.nan, np.inf, -np.inf))
    elif kind == 1:
        position *= chance.power(0, 300)
    elif kind == 2:
        age_s = pick.uniform(-0.5, 0.5)
    elif kind == 3:
        sequence = desk.sequence - pick.randrange(5)
    elif kind == 4:
        commander = "you"
    elif kind == 5:
        position = position[: pick.randrange(n)]
    elif kind == 6:
        velocity[pick.randrange(n)] = np.nan
    return desk.offer(
        position, velocity=velocity, sequence=sequence, age_s=age_s, commander=commander
    )


RATES_HZ = {
    "sawyer": 100.0,
    "fr3": 30.0,
    "gen3": 50.0,
    "panda": 100.0,
    "plain": 100.0,
    "baxter": 100.0,
}
SEQUENCES_A_LIFE = 250
LIVES = int(os.environ.get("TILTBOT_FUZZ_LIVES", "70"))


class Life:
    """One stream, and what it said; its sequences begin in the state the last one left."""

    def __init__(self, seed, robot, space):
        limits = load_limits(robot)
        self.rate_hz = RATES_HZ[robot]
        self.limits = limits.pose if space == "pose" else limits.joints.reduced(margin=0.05)
        self.axes = len(self.limits.names)
        self.chance = Chance(seed, self.axes)
        self.desk = Desk.__new__(Desk)
        self.desk.settings = StreamSettings(deadman_s=max(0.1, 1.5 / self.rate_hz))
        self.desk.stream = Stream(
            self.limits, self.desk.settings, space=space, rate_hz=self.rate_hz
        )
        self.desk.now_s, self.desk.offset_ns, self.desk.sequence = 10.0, 0, 0
        self.place()
        self.positions, self.segments, self.segment = [], [], 0
        self.accepted_s = -1.0
        # A late tick is several steps: every one of them counts.
        keep, governor = self.desk.stream._governor._keep, self.desk.stream._governor
        governor._keep = lambda *step: self.positions.append(keep(*step)) or self.positions[-1]

    def place(self):
        """Stand anywhere in the range, sometimes at its ends."""
        low, high = np.maximum(self.limits.lower, -6.0), np.minimum(self.limits.upper, 6.0)
        share = np.clip(0.5 + 0.5 * self.chance.vector(), 0.0, 1.0)
        self.desk.stream.place(low + share * (high - low))

    def upset(self):
        """Sometimes stop, fault, place the arm elsewhere, or let the clock jump."""
        desk, draw = self.desk, self.chance.pick.random()
        if desk.stream.phase == "fault" or draw < 0.005:
            self.place()
            self.segment += 1
        elif draw < 0.01:
            desk.stream.fault("reflex")
        elif draw < 0.02:
            desk.stream.stop("asked to")
        elif draw < 0.03:
            desk.offset_ns += int(self.chance.pick.uniform(-1e10, 1e10))
        if desk.stream._lease.holder(desk.now_s) is None:
            desk.stream.take("me", desk.now_s)

    def command_and_tick(self):
        """One command and one tick that may be early, on time, or a stall late."""
        desk, pick = self.desk, self.chance.pick
        if wild(self.chance, desk, self.axes) is None:
            self.accepted_s = desk.now_s
        draw = pick.random()
        periods = 40.0 if draw < 0.01 else pick.uniform(0.02, 0.6) if draw < 0.2 else 1.0
        desk.now_s += periods / self.rate_hz
        reference = desk.stream.tick(desk.now_s)
        self.segments += [self.segment] * (len(self.positions) - len(self.segments))
        if reference.phase == "following":
            assert desk.now_s - self.accepted_s <= desk.settings.deadman_s + 1e-9

    def check(self):
        path, part = np.array(self.positions), np.array(self.segments)
        assert len(path) <= (self.desk.now_s - 10.0) * self.rate_hz + 1.5
        limits = self.limits
        assert (path >= limits.lower - 1e-9).all()
        assert (path <= limits.upper + 1e-9).all()
        difference = path
        for order, bound in enumerate((limits.velocity, limits.acceleration, limits.jerk), start=1):
            difference = np.diff(difference, axis=0) * self.rate_hz
            whole = part[order:] == part[:-order]
            assert (np.abs(difference[whole]) <= bound + 1e-9 * self.rate_hz**order).all()


@pytest.mark.parametrize("robot", RATES_HZ)
def test_no_sequence_of_commands_leaves_the_limits(robot):
    """17,500 sequences a robot, each of 2 to 5 commands and ticks of uneven timing.

    With TILTBOT_FUZZ_LIVES=400 they are 100,000 a robot (docs/arms.md).
    """
    causes, stops, taken = set(), 0, 0
    for number in range(LIVES):
        life = Life(number, robot, "joint" if number % 4 else "pose")
        for _ in range(SEQUENCES_A_LIFE):
            life.upset()
            for _ in range(life.chance.pick.randint(2, 5)):
                life.command_and_tick()
        life.check()
        causes |= set(life.desk.stream.refused)
        stops += life.desk.stream.deadman_stops
        taken += life.desk.stream.taken
    assert causes == set(REFUSALS)
    assert stops > 50
    assert taken > 0.6 * LIVES * SEQUENCES_A_LIFE
