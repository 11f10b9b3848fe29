"""Joints that follow a pose, one bounded step at a time: mink's differential kinematics."""

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.arm import ToolPose
from tiltbot_ros.arms.kinematics import ArmModel, import_mink
from tiltbot_ros.arms.limits import AxisLimits

Array = NDArray[np.float64]

PASSES = 3
POSTURE_COST = 1e-3
DAMPING = 1e-4


@dataclass(frozen=True, kw_only=True, slots=True)
class ServoStep:
    """One step.

    Attributes:
        positions: (n,) joints after it [rad].
        velocities: (n,) mean over it [rad/s].
        miss_m: distance of the tool from where it was wanted [m].
        miss_rad: angle from it [rad].
    """

    positions: Array
    velocities: Array
    miss_m: float
    miss_rad: float


class PoseServo:
    """Goes to poses in joint steps that keep the joints' ranges and speeds.

    Each step solves small quadratic programs whose constraints are the limits, so a
    singularity or a pose out of reach makes it slow or leaves it short, and never
    makes it jump. A joint without ends turns on and on, and never back by a turn.
    """

    def __init__(self, model: ArmModel, limits: AxisLimits, *, rate_hz: float) -> None:
        """Make one that stands nowhere: `reset` it before the first step.

        Args:
            model: of the arm; its ranges are narrowed to the limits.
            limits: of the joints on this rig.
            rate_hz: steps a second [Hz].

        Raises:
            MissingDependencyError: mink or daqp is not installed.
        """
        mink = self._mink = import_mink()
        self._model = model
        self._dt_s = 1.0 / rate_hz
        narrowed = model.model
        for name, low, high in zip(model.joints, limits.lower, limits.upper, strict=True):
            joint = mujoco.mj_name2id(narrowed, mujoco.mjtObj.mjOBJ_JOINT, name)
            ends = bool(np.isfinite(low) and np.isfinite(high))
            narrowed.jnt_limited[joint] = ends
            if ends:
                narrowed.jnt_range[joint] = low, high
        self._frame = mink.FrameTask(
            model.site, "site", position_cost=1.0, orientation_cost=1.0, lm_damping=DAMPING
        )
        self._posture = mink.PostureTask(narrowed, cost=POSTURE_COST)
        speeds = {
            name: np.array([speed])
            for name, speed in zip(model.joints, limits.velocity, strict=True)
        }
        self._limits = [mink.ConfigurationLimit(narrowed), mink.VelocityLimit(narrowed, speeds)]
        self._configuration = mink.Configuration(narrowed)
        self._lower, self._upper = limits.lower, limits.upper

    def reset(self, positions: Array) -> None:
        """Stand at joint positions (n,) [rad]; joints that a pose leaves free stay near them."""
        whole = self._model.model.qpos0.copy()
        whole[self._model.addresses] = np.clip(positions, self._lower, self._upper)
        self._configuration.update(whole)
        self._posture.set_target(whole)

    def step(self, wanted: ToolPose) -> ServoStep:
        """Go one step towards a pose, as far as the joints can in that time."""
        mink = self._mink
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = wanted.rotation, wanted.position
        self._frame.set_target(mink.SE3.from_matrix(matrix))
        before = self._configuration.q[self._model.addresses].copy()
        part_s = self._dt_s / PASSES
        for _ in range(PASSES):
            velocity = mink.solve_ik(
                self._configuration,
                [self._frame, self._posture],
                part_s,
                solver="daqp",
                damping=1e-9,
                limits=self._limits,
            )
            self._configuration.integrate_inplace(velocity, part_s)
        positions = self._configuration.q[self._model.addresses].copy()
        error = self._frame.compute_error(self._configuration)
        return ServoStep(
            positions=positions,
            velocities=(positions - before) / self._dt_s,
            miss_m=float(np.linalg.norm(error[:3])),
            miss_rad=float(np.linalg.norm(error[3:])),
        )
