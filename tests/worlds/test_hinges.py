import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tiltbot_ros.worlds.hinges import (
    angular_velocity,
    hinges_from_tilt,
    orientation,
    rotation_vector,
    tilt_from_hinges,
)

TILTS = [(0.0, 0.0), (0.45, 0.0), (0.0, -0.45), (0.3, 0.3), (-0.2, 0.4), (1e-9, 0.0), (0.8, -0.7)]


@pytest.mark.parametrize("tilt", TILTS)
def test_normal_is_that_of_the_rotation_vector(tilt):
    expected = Rotation.from_rotvec([*tilt, 0.0]).as_matrix()[:, 2]
    actual = orientation(hinges_from_tilt(np.array(tilt)))[:, 2]
    np.testing.assert_allclose(actual, expected, atol=1e-12)


@pytest.mark.parametrize("tilt", TILTS)
def test_tilt_survives_the_way_there_and_back(tilt):
    np.testing.assert_allclose(tilt_from_hinges(hinges_from_tilt(np.array(tilt))), tilt, atol=1e-12)


@pytest.mark.parametrize("tilt", TILTS)
def test_rotation_vector_tells_the_whole_orientation(tilt):
    hinges = hinges_from_tilt(np.array(tilt))
    actual = Rotation.from_rotvec(rotation_vector(hinges)).as_matrix()
    np.testing.assert_allclose(actual, orientation(hinges), atol=1e-12)


def test_yaw_residue_stays_under_53_mrad_at_the_largest_tilt():
    for angle in np.linspace(0, 2 * np.pi, 49):
        tilt = 0.45 * np.array([np.cos(angle), np.sin(angle)])
        rest = Rotation.from_rotvec([*tilt, 0]).inv() * Rotation.from_matrix(
            orientation(hinges_from_tilt(tilt))
        )
        vector = rest.as_rotvec()
        assert np.abs(vector[:2]).max() < 1e-9
        assert abs(vector[2]) < 0.053


def test_angular_velocity_is_the_derivative_of_the_orientation():
    hinges, rates, step = np.array([0.3, -0.4]), np.array([0.7, 1.1]), 1e-6
    turn = orientation(hinges + step * rates) @ orientation(hinges).T
    expected = Rotation.from_matrix(turn).as_rotvec() / step
    np.testing.assert_allclose(angular_velocity(hinges, rates), expected, atol=1e-4)
