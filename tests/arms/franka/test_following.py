import franky
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tiltbot_ros.arms.franka.following import Following, angular_velocity
from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.poses import tool_pose


@pytest.mark.parametrize("size", [0.0, 1e-8, 0.3, 2.5])
def test_an_angular_velocity_is_how_the_rotation_turns(size):
    rng = np.random.default_rng(7)
    rotation = size * rng.normal(size=3) / 3
    rate = rng.normal(size=3)
    step = 1e-6
    turned = Rotation.from_rotvec(rotation + step * rate) * Rotation.from_rotvec(rotation).inv()
    np.testing.assert_allclose(
        angular_velocity(rotation, rate), turned.as_rotvec() / step, atol=1e-5
    )


def following(**changed):
    settings = FrankaSettings(**changed)
    joints = load_limits("fr3").joints
    return Following(franky, settings, posture=np.zeros(7), joints=joints)


def test_a_reference_carries_pose_twist_and_a_time_to_live():
    pose = np.array([0.4, 0.1, 0.3, 0.2, -0.1, 0.3])
    velocity = np.array([0.1, 0.0, 0.0, 0.0, 0.0, 0.2])
    motion = following(watchdog_s=0.12).pose(pose, velocity)
    reference = motion.get_reference()
    np.testing.assert_allclose(reference.target.translation, pose[:3])
    np.testing.assert_allclose(
        reference.target.matrix[:3, :3], tool_pose(pose).rotation, atol=1e-12
    )
    np.testing.assert_allclose(reference.target_twist.linear, velocity[:3])
    assert len(motion.reactions) == 1


def test_what_the_rig_says_is_in_the_motion():
    motion = following(
        translational_stiffness_n_m=321.0, error_clip_m=0.03, posture_stiffness_nm_rad=7.0
    ).hold()
    params = motion.params
    np.testing.assert_allclose(np.diag(params.stiffness)[:3], 321.0)
    np.testing.assert_allclose(params.translational_error_clip, 0.03)
    np.testing.assert_allclose(params.nullspace_tasks[0].stiffness, 7.0)
    np.testing.assert_allclose(params.safety.upper_joint_limits, load_limits("fr3").joints.upper)
    assert motion.get_reference() is None  # so it holds where it begins


def test_an_elbow_may_be_free():
    assert following(posture_stiffness_nm_rad=0.0).hold().params.nullspace_tasks == []
