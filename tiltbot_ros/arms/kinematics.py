"""Where an arm's tool is, and which joints bring it somewhere: MuJoCo and mink."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.arm import ToolPose
from tiltbot_ros.errors import ConfigError, LimitError, MissingDependencyError

Array = NDArray[np.float64]

STEPS = 60
STEP_S = 1.0
POSTURE_COST = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True)
class Accuracy:
    """When an inverse solution counts as one.

    Attributes:
        position_m: largest distance from the wanted position [m].
        rotation_rad: largest angle from the wanted rotation [rad].
    """

    position_m: float = 1e-4
    rotation_rad: float = 1e-4


def load_model(path: Path) -> mujoco.MjSpec:
    """Return the description of a robot, MJCF or URDF, to be added to and compiled.

    Raises:
        ConfigError: there is no such file, or it is no robot.
    """
    if not path.is_file():
        raise ConfigError(f"expected a robot's model (MJCF or URDF), but {path} does not exist")
    try:
        return mujoco.MjSpec.from_file(str(path))
    except ValueError as error:
        raise ConfigError(f"expected a robot's model in {path}, but {error}") from error


def import_mink() -> Any:
    """Return the module mink.

    Raises:
        MissingDependencyError: mink or daqp is not installed.
    """
    try:
        importlib.import_module("daqp")
        return importlib.import_module("mink")
    except ImportError as error:
        raise MissingDependencyError(
            f"expected the libraries of inverse kinematics ({error}): pip install 'tiltbot[arms]', "
            f"or mink and daqp"
        ) from error


class ArmModel:
    """Forward and inverse kinematics of one chain of joints to one site."""

    def __init__(self, model: mujoco.MjModel, *, joints: tuple[str, ...], site: str) -> None:
        """Take a compiled model.

        Args:
            model: with hinge joints of these names.
            joints: names, in the order of every array here.
            site: name of the site whose pose counts.

        Raises:
            ConfigError: the model has no such joint or site.
        """
        ids = [mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name) for name in joints]
        self._site = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_SITE, site)
        missing = [name for name, found in zip(joints, ids, strict=True) if found < 0]
        missing += [site] if self._site < 0 else []
        if missing:
            raise ConfigError(
                f"expected joints {', '.join(joints)} and site {site} in the model, "
                f"it has no {', '.join(missing)}"
            )
        self.model = model
        self.joints = joints
        self.site = site
        self.addresses = model.jnt_qposadr[ids]
        self._dofs = model.jnt_dofadr[ids]
        self._data = mujoco.MjData(model)
        self._solver: tuple[Any, Any, Any, list[Any]] | None = None

    def tool(self, positions: Array) -> ToolPose:
        """Return the site's pose at joint positions (n,) [rad]."""
        self._data.qpos[self.addresses] = positions
        mujoco.mj_kinematics(self.model, self._data)
        return ToolPose(
            position=self._data.site_xpos[self._site].copy(),
            rotation=self._data.site_xmat[self._site].reshape(3, 3).copy(),
        )

    def jacobian(self, positions: Array) -> Array:
        """Return (6, n): the site's velocity [m/s] and angular velocity [rad/s] per joint's."""
        self._data.qpos[self.addresses] = positions
        mujoco.mj_kinematics(self.model, self._data)
        mujoco.mj_comPos(self.model, self._data)
        whole = np.zeros((6, self.model.nv))
        mujoco.mj_jacSite(self.model, self._data, whole[:3], whole[3:], self._site)
        jacobian: Array = whole[:, self._dofs]
        return jacobian

    def touching(self, positions: Array) -> list[tuple[str, str]]:
        """Return the pairs of shapes that touch at joint positions (n,) [rad]."""
        self._data.qpos[self.addresses] = positions
        mujoco.mj_forward(self.model, self._data)
        pairs = [
            tuple(sorted(self.model.geom(geom).name for geom in contact.geom))
            for contact in self._data.contact[: self._data.ncon]
        ]
        return sorted({(first, second) for first, second in pairs})

    def solve(self, wanted: ToolPose, *, seed: Array, accuracy: Accuracy | None = None) -> Array:
        """Return joint positions (n,) [rad] that bring the site to a pose, near a seed.

        Args:
            wanted: pose of the site.
            seed: (n,) where the search begins, and where joints that are not
                needed stay [rad].
            accuracy: when it counts as reached.

        Raises:
            LimitError: the pose is out of reach within the joints' ranges.
            MissingDependencyError: mink or daqp is not installed.
        """
        accuracy = accuracy or Accuracy()
        mink, frame, posture, limits = self._prepared()
        configuration = mink.Configuration(self.model)
        start = self.model.qpos0.copy()
        start[self.addresses] = seed
        configuration.update(start)
        posture.set_target(start)
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = wanted.rotation, wanted.position
        frame.set_target(mink.SE3.from_matrix(matrix))
        error = np.full(6, np.inf)
        for _ in range(STEPS):
            velocity = mink.solve_ik(
                configuration, [frame, posture], STEP_S, solver="daqp", damping=1e-9, limits=limits
            )
            configuration.integrate_inplace(velocity, STEP_S)
            error = frame.compute_error(configuration)
            if (
                np.linalg.norm(error[:3]) <= accuracy.position_m
                and np.linalg.norm(error[3:]) <= accuracy.rotation_rad
            ):
                found: Array = configuration.q[self.addresses].copy()
                return found
        where = ", ".join(f"{value:.3f}" for value in wanted.position)
        raise LimitError(
            f"expected a pose within reach, but the one at ({where}) m is missed by "
            f"{1e3 * np.linalg.norm(error[:3]):.2f} mm and {np.linalg.norm(error[3:]):.4f} rad"
        )

    def _prepared(self) -> tuple[Any, Any, Any, list[Any]]:
        if self._solver is None:
            mink = import_mink()
            frame = mink.FrameTask(
                self.site, "site", position_cost=1.0, orientation_cost=1.0, lm_damping=1e-6
            )
            posture = mink.PostureTask(self.model, cost=POSTURE_COST)
            self._solver = mink, frame, posture, [mink.ConfigurationLimit(self.model)]
        return self._solver
