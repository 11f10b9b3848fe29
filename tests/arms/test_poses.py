"""Poses as six numbers."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tiltbot_ros.arms.arm import ToolPose
from tiltbot_ros.arms.poses import (
    NEUTRAL,
    angle_between,
    moved,
    pose_vector,
    quaternion_of,
    tool_pose,
)


def test_the_neutral_tool_points_down_and_is_no_rotation():
    tool = ToolPose(position=np.array([0.4, 0.1, 0.2]), rotation=NEUTRAL)
    np.testing.assert_allclose(NEUTRAL @ [0.0, 0.0, 1.0], [0.0, 0.0, -1.0])
    np.testing.assert_allclose(pose_vector(tool), [0.4, 0.1, 0.2, 0.0, 0.0, 0.0])


def test_a_pose_comes_back_from_its_six_numbers():
    random = np.random.default_rng(3)
    for _ in range(50):
        pose = np.concatenate((random.uniform(-1, 1, 3), random.uniform(-1.2, 1.2, 3)))
        np.testing.assert_allclose(pose_vector(tool_pose(pose)), pose, atol=1e-12)


def test_a_step_turns_about_the_axes_of_the_base():
    pose = np.array([0.5, 0.0, 0.3, 0.4, -0.2, 0.9])
    delta = np.array([0.01, 0.02, -0.03, 0.0, 0.1, 0.0])
    after = tool_pose(moved(pose, delta))
    np.testing.assert_allclose(after.position, [0.51, 0.02, 0.27])
    expected = Rotation.from_rotvec([0.0, 0.1, 0.0]).as_matrix() @ tool_pose(pose).rotation
    np.testing.assert_allclose(after.rotation, expected, atol=1e-12)


def test_quaternions_and_angles_agree_with_the_matrices():
    pose = tool_pose(np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.3]))
    np.testing.assert_allclose(Rotation.from_quat(quaternion_of(pose)).as_matrix(), pose.rotation)
    assert angle_between(pose.rotation, NEUTRAL) == pytest.approx(0.3)
