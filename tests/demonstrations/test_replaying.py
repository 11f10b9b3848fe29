"""How a replay is led and measured."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tiltbot_ros.arms.poses import moved
from tiltbot_ros.demonstrations.replaying import Approach, ReplaySettings, compare
from tiltbot_ros.demonstrations.steps import PoseTrack
from tiltbot_ros.errors import EpisodeError

NS = 1_000_000_000


def track(*, late_s=0.0, off=(0.0,) * 6, hz=100, seconds=4.0, begin_s=-0.5):
    """A tool on a circle that also turns, from a start at 0."""
    times = np.arange(begin_s, seconds, 1 / hz)
    phase = np.clip(times - late_s, 0.0, 3.0) * 2.0
    poses = np.zeros((len(times), 6))
    poses[:, 0] = 0.5 + 0.05 * np.sin(phase) + off[0]
    poses[:, 1] = 0.05 * (1 - np.cos(phase))
    poses[:, 5] = 0.3 * np.sin(phase) + off[5]
    return PoseTrack(stamps_ns=(times * NS).astype(np.int64) + 10**18, poses=poses)


def test_the_same_motion_has_no_error():
    error = compare(track(), 10**18, track(hz=73), 10**18)
    assert error.max_m < 5e-4
    assert error.rms_m < 1e-4
    assert error.max_rad < 3e-3
    assert error.moments > 300


def test_a_constant_offset_is_the_error():
    error = compare(track(), 10**18, track(off=(0.004, 0, 0, 0, 0, 0.02)), 10**18)
    assert error.rms_m == pytest.approx(0.004, rel=0.1)
    assert error.max_rad == pytest.approx(0.02, rel=0.1)


def test_a_delay_is_told_apart_from_the_error():
    error = compare(track(), 10**18, track(late_s=0.06), 10**18)
    assert error.shift_s == pytest.approx(0.06, abs=0.003)
    assert error.max_m < 5e-4


def test_tracks_that_do_not_overlap_are_refused():
    with pytest.raises(EpisodeError, match="too short"):
        compare(track(), 10**18, track(seconds=0.2), 10**18)


def test_an_approach_arrives_without_swinging_on_an_arm_that_lags():
    start = np.array([0.55, -0.1, 0.2, 0.1, 0.0, 0.5])
    approach = Approach(start, ReplaySettings(), rate_hz=30.0)
    reference = np.array([0.45, 0.1, 0.3, 0.0, 0.2, -0.4])
    measured, far = reference.copy(), []
    for _ in range(900):
        step = approach.step(measured)
        assert np.linalg.norm(step[:3]) <= 0.08 / 30 + 1e-12
        reference = moved(reference, step)
        measured = measured + 0.3 * (reference - measured)
        far.append(np.linalg.norm(approach.left(measured)[:3]))
        if approach.arrived(measured):
            break
    assert approach.arrived(measured)
    assert max(np.diff(far)) < 1e-4
    turned = Rotation.from_rotvec(measured[3:]).inv() * Rotation.from_rotvec(start[3:])
    assert turned.magnitude() < 0.003
