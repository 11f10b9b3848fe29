import numpy as np
import pytest

from tiltbot_ros.arms.tilts import RandomTilts, TiltMotion, TiltSettings, minimum_jerk
from tiltbot_ros.errors import LimitError


def test_a_motion_leaves_level_reaches_its_target_and_comes_back():
    settings = TiltSettings(max_tilt_rad=0.4, ramp_s=0.5, hold_s=1.0, return_s=1.0)
    motion = TiltMotion((0.6, -0.8), settings)
    assert motion.duration_s == 2.5
    np.testing.assert_allclose(motion.reference(0.0), [0, 0])
    np.testing.assert_allclose(motion.reference(0.5), [0.24, -0.32])
    np.testing.assert_allclose(motion.reference(1.49), [0.24, -0.32])
    np.testing.assert_allclose(motion.reference(2.5), [0, 0], atol=1e-12)
    np.testing.assert_allclose(motion.reference(9.0), [0, 0], atol=1e-12)


def test_a_motion_has_no_steps_in_velocity_or_acceleration():
    settings = TiltSettings()
    motion = TiltMotion((1.0, 0.0), settings)
    dt = 1e-4
    angles = np.array([motion.reference(t)[0] for t in np.arange(0, motion.duration_s + 0.2, dt)])
    velocity = np.diff(angles) / dt
    acceleration = np.diff(velocity) / dt
    # Peaks of a minimum-jerk ramp of length T: 1.875 A/T and 5.774 A/T^2.
    assert np.abs(velocity).max() == pytest.approx(1.875 * 0.45 / 0.4, rel=1e-3)
    assert np.abs(acceleration).max() == pytest.approx(5.774 * 0.45 / 0.4**2, rel=1e-2)
    assert np.abs(np.diff(acceleration)).max() < 0.2


def test_minimum_jerk_agrees_with_its_boundary_value_problem():
    # The quintic with zero velocity and acceleration at both ends, solved for anew.
    rows = [
        [0, 0, 0, 0, 0, 1],
        [1, 1, 1, 1, 1, 1],
        [0, 0, 0, 0, 1, 0],
        [5, 4, 3, 2, 1, 0],
        [0, 0, 0, 2, 0, 0],
        [20, 12, 6, 2, 0, 0],
    ]
    polynomial = np.linalg.solve(np.array(rows, float), [0, 1, 0, 0, 0, 0])
    for s in np.linspace(0, 1, 11):
        assert minimum_jerk(s) == pytest.approx(np.polyval(polynomial, s), abs=1e-12)


@pytest.mark.parametrize("action", [(1.1, 0.0), (0.8, 0.8), (float("nan"), 0.0), (0.0, -2.0)])
def test_an_action_outside_the_unit_disc_is_refused(action):
    with pytest.raises(LimitError, match="length at most 1"):
        TiltMotion(action, TiltSettings())


def test_random_tilts_are_uniform_over_the_ring_and_repeat_with_the_seed():
    settings = TiltSettings(min_length=0.3)
    tilts = RandomTilts(7, settings)
    actions = np.array([tilts.next() for _ in range(20_000)])
    lengths = np.hypot(*actions.T)
    assert lengths.min() >= 0.3
    assert lengths.max() <= 1.0
    # Uniform over the area: the squared length is uniform on [0.09, 1].
    quantiles = np.quantile(lengths**2, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(quantiles, 0.09 + 0.91 * np.array([0.25, 0.5, 0.75]), atol=0.02)
    assert np.abs(actions.mean(axis=0)).max() < 0.02
    again = RandomTilts(7, settings)
    assert [again.next() for _ in range(5)] == [tuple(a) for a in actions[:5]]
