"""Poses as six numbers: position [m], and rotation vector from the neutral orientation [rad].

R = exp(r) · R_neutral, with r in the axes of the base. Every arm of the house has
the same neutral orientation, so that a pose means the same on all of them.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tiltbot_ros.arms.arm import ToolPose

Array = NDArray[np.float64]

NEUTRAL: Array = np.diag([1.0, -1.0, -1.0])
"""Neutral orientation: the tool's z down, its x along that of the base."""


def pose_vector(tool: ToolPose) -> Array:
    """Return a tool's pose as (6,): position [m] and rotation vector from neutral [rad]."""
    rotation = Rotation.from_matrix(tool.rotation @ NEUTRAL.T).as_rotvec()
    return np.concatenate((tool.position, rotation))


def tool_pose(pose: Array) -> ToolPose:
    """Return the tool's pose that six numbers (6,) mean; the inverse of `pose_vector`."""
    matrix = Rotation.from_rotvec(pose[3:]).as_matrix()
    return ToolPose(position=np.array(pose[:3]), rotation=matrix @ NEUTRAL)


def moved(pose: Array, delta: Array) -> Array:
    """Return a pose (6,) after a step (6,), translation and rotation in the base's axes."""
    turned = Rotation.from_rotvec(delta[3:]) * Rotation.from_rotvec(pose[3:])
    return np.concatenate((pose[:3] + delta[:3], turned.as_rotvec()))


def quaternion_of(tool: ToolPose) -> Array:
    """Return a tool's orientation in the base's frame as a unit quaternion x, y, z, w."""
    quaternion: Array = Rotation.from_matrix(tool.rotation).as_quat()
    return quaternion


def angle_between(first: Array, second: Array) -> float:
    """Return the angle between two rotations, matrices (3, 3) [rad]."""
    return float(Rotation.from_matrix(first @ second.T).magnitude())
