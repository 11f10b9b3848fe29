"""Clutch, scale, dead zone, frame, limits and smoothing of a hand's motion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tiltbot_ros.teleop.following import HandFollower
from tiltbot_ros.teleop.settings import TeleopSettings
from tiltbot_ros.teleop.source import HandSample

RATE_HZ = 30.0
EXACT = {"dead_m": 0.0, "dead_rad": 0.0, "smoothing_s": 0.0}


class Person:
    """Moves a hand, and sums the steps that come of it."""

    def __init__(self, **settings):
        self.follower = HandFollower(TeleopSettings(**{**EXACT, **settings}), rate_hz=RATE_HZ)
        self.now_s = 50.0
        self.position, self.rotation = np.zeros(3), Rotation.identity()
        self.sum, self.turned = np.zeros(3), Rotation.identity()
        self.steps = []

    def sample(self, *, engaged=True, **numbers):
        values = {"position": self.position.copy(), "rotation": self.rotation.as_matrix()}
        return HandSample(received_s=self.now_s, engaged=engaged, **{**values, **numbers})

    def feed(self, sample):
        step = self.follower.step(sample, self.now_s)
        self.steps.append(step)
        if step is not None:
            self.sum = self.sum + step[:3]
            self.turned = Rotation.from_rotvec(step[3:]) * self.turned
        self.now_s += 1.0 / RATE_HZ
        return step

    def move(self, way, turn=(0.0, 0.0, 0.0), *, steps=60, engaged=True):
        for _ in range(steps):
            self.position = self.position + np.array(way) / steps
            self.rotation = Rotation.from_rotvec(np.array(turn) / steps) * self.rotation
            self.feed(self.sample(engaged=engaged))

    def wait(self, steps=60, *, engaged=True):
        self.move((0.0, 0.0, 0.0), steps=steps, engaged=engaged)


def test_the_tool_goes_the_way_of_the_hand_and_turns_as_it_does():
    person = Person()
    person.wait(1)
    person.move((0.1, -0.05, 0.2), turn=(0.1, 0.2, -0.3))
    person.wait()
    np.testing.assert_allclose(person.sum, [0.1, -0.05, 0.2], atol=1e-9)
    np.testing.assert_allclose(person.turned.as_matrix(), person.rotation.as_matrix(), atol=1e-9)


def test_an_open_clutch_holds_and_a_closed_one_begins_anew():
    person = Person()
    person.wait(1)
    person.move((0.1, 0.0, 0.0))
    person.move((-0.1, 0.0, 0.0), turn=(0.0, 0.5, 0.0), engaged=False)
    assert all(not step.any() for step in person.steps[-60:])
    assert person.follower.clutch == "released"
    person.wait(1)
    assert not person.steps[-1].any()
    person.move((0.1, 0.0, 0.0))
    person.wait()
    np.testing.assert_allclose(person.sum, [0.2, 0.0, 0.0], atol=1e-9)


def test_scale_and_frame_are_those_of_the_rig():
    person = Person(scale=0.5, turn_scale=2.0, rotation_rad=[0.0, 0.0, np.pi])
    person.wait(1)
    person.move((0.1, 0.02, 0.05), turn=(0.1, 0.0, 0.0))
    person.wait()
    np.testing.assert_allclose(person.sum, [-0.05, -0.01, 0.025], atol=1e-9)
    np.testing.assert_allclose(person.turned.as_rotvec(), [-0.2, 0.0, 0.0], atol=1e-9)


def test_a_trembling_hand_is_not_followed_and_a_moving_one_is():
    person = Person(dead_m=0.002, dead_rad=0.02)
    person.wait(1)
    random = np.random.default_rng(1)
    for _ in range(100):
        person.position = random.uniform(-1e-3, 1e-3, 3)
        person.rotation = Rotation.from_rotvec(random.uniform(-0.005, 0.005, 3))
        assert not person.feed(person.sample()).any()
    person.move((0.1, 0.0, 0.0))
    person.wait()
    assert person.sum[0] == pytest.approx(0.1, abs=0.004)


def test_a_locked_axis_does_not_move_and_the_others_keep_their_speeds():
    person = Person(speed_m_s=[0.1, 0.0, 0.3], speed_rad_s=[0.0, 0.5, 0.0])
    person.wait(1)
    person.move((0.5, 0.5, 0.1), turn=(0.6, 0.6, 0.6), steps=15)
    steps = np.array(person.steps)
    assert not steps[:, [1, 3, 5]].any()
    assert np.abs(steps[:, 0]).max() == pytest.approx(0.1 / RATE_HZ)
    assert np.abs(steps[:, 4]).max() <= 0.5 / RATE_HZ + 1e-12
    person.wait(300)  # what the speed did not let through comes later
    np.testing.assert_allclose(person.sum, [0.5, 0.0, 0.1], atol=1e-6)


def test_smoothing_softens_the_start_and_loses_nothing():
    person = Person(smoothing_s=0.2, speed_m_s=[3.0, 3.0, 3.0])
    person.wait(1)
    person.position = np.array([0.05, 0.0, 0.0])
    first = person.feed(person.sample())
    assert first[0] == pytest.approx(0.05 * (1 - np.exp(-1 / RATE_HZ / 0.2)))
    person.wait(120)
    assert person.sum[0] == pytest.approx(0.05, abs=1e-6)


def test_a_silent_source_is_followed_by_silence_and_then_anew():
    person = Person(stale_s=0.2)
    person.wait(1)
    person.move((0.05, 0.0, 0.0), steps=10)
    last = person.sample()
    fed = [person.feed(last) for _ in range(12)]
    assert fed[0] is not None
    assert fed[-1] is None
    assert person.follower.clutch == "stale"
    person.position = np.array([0.5, 0.0, 0.0])  # the hand has moved on meanwhile
    assert not person.feed(person.sample()).any()
    assert person.sum[0] == pytest.approx(0.05, abs=1e-9)


@pytest.mark.parametrize(
    "wrong",
    [
        {"position": np.array([np.nan, 0.0, 0.0])},
        {"position": np.array([0.0, np.inf, 0.0])},
        {"position": np.zeros(2)},
        {"rotation": np.full((3, 3), np.nan)},
        {"rotation": np.zeros((3, 3))},
        {"rotation": np.diag([1.0, 1.0, -1.0])},
        {"gripper": np.inf},
    ],
)
def test_samples_that_make_no_sense_are_dropped_and_grow_stale(wrong):
    person = Person(stale_s=0.2)
    person.wait(5)
    for _ in range(12):
        person.feed(person.sample(**wrong))
    assert person.follower.dropped["unsound"] == 12
    assert person.steps[-1] is None
    assert not np.array([step for step in person.steps if step is not None]).any()


def test_lost_tracking_is_no_motion():
    person = Person(jump_m=0.1)
    person.wait(5)
    person.position = np.array([0.4, 0.0, 0.0])
    person.feed(person.sample())
    person.wait(5)
    assert person.follower.dropped["jump"] == 1
    assert not person.sum.any()


def test_nothing_is_sent_before_the_first_sample():
    person = Person()
    assert person.feed(None) is None


numbers = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(
    st.lists(
        st.tuples(st.lists(numbers, min_size=3, max_size=3), st.booleans(), st.floats(0, 0.5)),
        max_size=30,
    )
)
def test_no_hand_makes_the_tool_faster_than_the_rig_allows(motions):
    person = Person(jump_m=2.0, smoothing_s=0.05)
    for position, engaged, pause_s in motions:
        person.position = np.array(position)
        step = person.feed(person.sample(engaged=engaged))
        person.now_s += pause_s
        if step is not None:
            assert np.isfinite(step).all()
            assert (np.abs(step[:3]) <= 0.25 / RATE_HZ + 1e-12).all()
