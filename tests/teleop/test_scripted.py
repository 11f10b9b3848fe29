"""The demonstrators for tests."""

import numpy as np
import pytest

from tiltbot_ros.teleop.following import HandFollower, is_sound
from tiltbot_ros.teleop.scripted import ScriptedSource
from tiltbot_ros.teleop.settings import ScriptedSettings, TeleopSettings
from tiltbot_ros.teleop.source import News


def shown(motion, **settings):
    source = ScriptedSource(ScriptedSettings(motion=motion, **settings), ready_s=0.5)
    assert not any(source.read(90.0 + number).engaged for number in range(9))  # it waits
    source.tell(News(ready=True, mode="holding", commander="", recording=False, text=""))
    samples, wishes = [], []
    for number in range(3000):
        now_s = 100.0 + number / 30.0
        samples.append(source.read(now_s))
        wishes += [(now_s - 100.0, wish) for wish in source.wishes()]
        if wishes and wishes[-1][1] == "quit":
            return samples, wishes
    raise AssertionError("it does not end")


@pytest.mark.parametrize("motion", ["reach", "wipe", "pour"])
def test_a_motion_is_recorded_from_rest_to_rest_within_the_speeds(motion):
    samples, wishes = shown(motion, times=2)
    assert [wish for _, wish in wishes] == ["start", "success", "start", "success", "quit"]
    assert all(is_sound(sample) for sample in samples)
    follower = HandFollower(TeleopSettings(), rate_hz=30.0)
    steps = np.array([follower.step(sample, sample.received_s) for sample in samples])
    assert np.abs(steps[:, :3]).max() < 0.25 / 30.0  # never as fast as the limit
    for at_s, _ in wishes[:4]:
        assert not np.abs(steps[int(at_s * 30)]).max() > 1e-5
    moved = np.abs(steps).sum(axis=0)
    axes = {"reach": (0, 2), "wipe": (1, 2), "pour": (2, 3)}[motion]
    assert all(moved[axis] > 0.05 for axis in axes)


def test_two_motions_differ_and_the_same_seed_repeats_them():
    first, second = (np.array([s.position for s in shown("wipe", seed=1)[0]]) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    other = np.array([s.position for s in shown("wipe", seed=2)[0]])
    length = min(len(first), len(other))
    assert np.abs(first[:length] - other[:length]).max() > 1e-3
