"""References for the control loop of franky, each with a time to live."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.arms.limits import AxisLimits
from tiltbot_ros.arms.poses import tool_pose

Array = NDArray[np.float64]


def angular_velocity(rotation: Array, rate: Array) -> Array:
    """Return the angular velocity (3,) of a rotation vector (3,) that changes at a rate (3,).

    All in the axes of the base [rad, rad/s]. Left Jacobian of SO(3), Solà, Deray and
    Atchuthan, "A micro Lie theory for state estimation in robotics", eq. 145 (2018).
    """
    angle = float(np.linalg.norm(rotation))
    if angle < 1e-6:
        return rate
    first = np.cross(rotation, rate)
    second = np.cross(rotation, first)
    turned: Array = (
        rate
        + (1.0 - math.cos(angle)) / angle**2 * first
        + (angle - math.sin(angle)) / angle**3 * second
    )
    return turned


class Following:
    """Makes the motions that follow a reference for a while and then hold.

    Each reference is a motion of its own that takes over from the last one within the
    control loop. It carries a reaction: when it has run for `watchdog_s` of the robot's
    time, and no newer one has come, the loop itself goes over to a motion without a
    reference, which holds the pose that is measured then. That happens in the C++ thread
    beside the robot, whatever Python does.
    """

    def __init__(
        self, franky: Any, settings: FrankaSettings, *, posture: Array, joints: AxisLimits | None
    ) -> None:
        """Prepare motions for an arm.

        Args:
            franky: the module.
            settings: stiffness, clips and watchdog.
            posture: (7,) joints that the elbow is drawn to [rad].
            joints: range of the joints, near whose ends they are pushed back; None: nothing
                but the robot's own limits.
        """
        self._franky = franky
        self._silent = settings.watchdog_s <= franky.Measure.REL_TIME
        common: dict[str, Any] = {}
        if joints is not None:
            common = {"lower_joint_limits": joints.lower, "upper_joint_limits": joints.upper}
        self._pose = {
            "translational_stiffness": settings.translational_stiffness_n_m,
            "rotational_stiffness": settings.rotational_stiffness_nm_rad,
            "translational_error_clip": np.full(3, settings.error_clip_m),
            "rotational_error_clip": np.full(3, settings.error_clip_rad),
            **common,
        }
        if settings.posture_stiffness_nm_rad > 0.0:
            task = franky.PostureTask(posture, settings.posture_stiffness_nm_rad)
            self._pose["posture_task"] = task
        self._joint = {"stiffness": np.array(settings.joint_stiffness_nm_rad), **common}

    def hold(self) -> Any:
        """Return a motion that holds the pose at which it begins."""
        return self._franky.CartesianImpedanceTrackingMotion(**self._pose)

    def pose(self, pose: Array, velocity: Array) -> Any:
        """Return a motion to a pose (6,) that moves at a velocity (6,)."""
        matrix, target = np.eye(4), tool_pose(pose)
        matrix[:3, :3], matrix[:3, 3] = target.rotation, target.position
        twist = self._franky.Twist(velocity[:3], angular_velocity(pose[3:], velocity[3:]))
        motion = self._franky.CartesianImpedanceTrackingMotion(**self._pose)
        motion.set_reference(self._franky.CartesianReference(self._franky.Affine(matrix), twist))
        return self._mortal(motion, self.hold())

    def joints(self, position: Array, velocity: Array) -> Any:
        """Return a motion to joints (7,) that move at a velocity (7,)."""
        motion = self._franky.JointImpedanceTrackingMotion(**self._joint)
        motion.set_reference(self._franky.JointReference(position, velocity))
        return self._mortal(motion, self._franky.JointImpedanceTrackingMotion(**self._joint))

    def _mortal(self, motion: Any, hold: Any) -> Any:
        motion.add_reaction(self._franky.TorqueReaction(self._silent, hold))
        return motion
