"""An arm that takes joints, made to take poses: kinematics between limits and driver."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tiltbot_ros.arms.arm import Arm, ArmState, Gripper, ToolPose
from tiltbot_ros.arms.commands import Space
from tiltbot_ros.arms.governor import Governor
from tiltbot_ros.arms.kinematics import ArmModel, load_model
from tiltbot_ros.arms.limits import AxisLimits, robots_directory
from tiltbot_ros.arms.poses import angle_between, tool_pose
from tiltbot_ros.arms.servo import PoseServo
from tiltbot_ros.arms.tool_settings import ToolSettings
from tiltbot_ros.errors import ConfigError

Array = NDArray[np.float64]

TOOL = "tool"


def tool_model(settings: ToolSettings, *, robot: str, joints: tuple[str, ...]) -> ArmModel:
    """Return the kinematics of an arm to its tool.

    Args:
        settings: which model, and where the tool is in it.
        robot: name of the file in config/robots, for a model that is not named.
        joints: names of the arm's joints.

    Raises:
        ConfigError: there is no model, or it has no such site or joints.
    """
    path = Path(settings.model).expanduser()
    if not settings.model:
        path = robots_directory() / f"{robot}.xml"
        if not path.is_file():
            raise ConfigError(
                f"expected a model of '{robot}': name its MJCF or URDF in tool.model, such as "
                f"that of MuJoCo's menagerie"
            )
    return placed_tool(load_model(path), settings, joints=joints)


def placed_tool(
    spec: mujoco.MjSpec, settings: ToolSettings, *, joints: tuple[str, ...]
) -> ArmModel:
    """Return the kinematics of a description with the tool of the settings in it.

    Raises:
        ConfigError: it has no such site or joints.
    """
    name = settings.site or TOOL
    site, body = spec.site(name), spec.body(name)
    if site is None and body is None:
        names = ", ".join(each.name for each in [*spec.sites, *spec.bodies] if each.name)
        raise ConfigError(f"expected tool.site among {names}, got '{name}'")
    frame = np.eye(4)
    if site is not None:
        body = site.parent
        placed = spec.compile().site(name)
        frame[:3, :3] = Rotation.from_quat(placed.quat, scalar_first=True).as_matrix()
        frame[:3, 3] = placed.pos
    tool = np.eye(4)
    tool[:3, :3] = Rotation.from_rotvec(settings.rotation_rad).as_matrix()
    tool[:3, 3] = settings.offset_m
    place = frame @ tool
    body.add_site(
        name="tool_of_the_rig",
        pos=place[:3, 3],
        quat=Rotation.from_matrix(place[:3, :3]).as_quat(scalar_first=True),
    )
    return ArmModel(spec.compile(), joints=joints, site="tool_of_the_rig")


class PoseByJoints:
    """Offers poses over an arm that takes joints; everything else is that arm's.

    What reaches the arm keeps the joints' limits of position, speed and acceleration,
    wherever the pose goes. A pose that the joints cannot reach, a singularity, or a
    joint that does not follow leaves the tool behind: that is in the figures at once,
    and a fault when it lasts.
    """

    spaces: frozenset[Space] = frozenset({"joint", "pose"})

    def __init__(
        self,
        arm: Arm,
        model: ArmModel,
        limits: AxisLimits,
        settings: ToolSettings,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Put kinematics in front of an arm.

        Args:
            arm: takes joints.
            model: of the same joints, to the tool; its ranges are narrowed to the limits.
            limits: of the joints on this rig.
            settings: how near the tool has to come.
            monotonic: a clock that only goes on [s].

        Raises:
            ConfigError: the arm takes no joints, or others than the model or the limits have.
            MissingDependencyError: mink or daqp is not installed.
        """
        if "joint" not in arm.spaces:
            raise ConfigError(f"expected an arm that takes joints, but '{arm.name}' does not")
        for what, names in (("a model", model.joints), ("limits", limits.names)):
            if names != arm.joint_names:
                raise ConfigError(
                    f"expected {what} of the joints {', '.join(arm.joint_names)}, got "
                    f"{', '.join(names)}"
                )
        self.name = arm.name
        self.joint_names = arm.joint_names
        self.rate_hz = arm.rate_hz
        self._arm = arm
        self._model = model
        self._settings = settings
        self._monotonic = monotonic
        self._servo = PoseServo(model, limits, rate_hz=arm.rate_hz)
        self._governor = Governor(limits, rate_hz=arm.rate_hz)
        self._standing = False
        self._measured: Array = np.zeros(len(arm.joint_names))
        self._interruptions = 0
        self._wanted: ToolPose | None = None
        self._missing_since_s: float | None = None
        self._fault = ""

    @property
    def arm(self) -> Arm:
        """The arm behind."""
        return self._arm

    @property
    def gripper(self) -> Gripper | None:
        """The arm's gripper, or None."""
        return self._arm.gripper

    def connect(self) -> None:
        """Connect the arm."""
        self._arm.connect()
        self._forget()
        self._interruptions = self._arm.state().interruptions

    def state(self) -> ArmState:
        """Return the arm's state, with the tool's pose by the model."""
        state = self._arm.state()
        self._measured = state.positions
        if state.interruptions != self._interruptions or state.fault:
            # The arm has stopped somewhere by itself.
            self._interruptions = state.interruptions
            self._standing, self._wanted = False, None
        tool = self._model.tool(state.positions)
        figures = self._watch(tool, state.positions) if not state.fault else {}
        return replace(
            state,
            tool=tool,
            fault=state.fault or self._fault,
            details={**state.details, **figures},
        )

    def stream_joints(self, position: Array, velocity: Array) -> None:
        """Tell joints; the next pose starts from them."""
        self._standing, self._wanted = False, None
        self._measured = position
        self._arm.stream_joints(position, velocity)

    def stream_pose(self, pose: Array, velocity: Array) -> None:  # noqa: ARG002 - the joints' counts
        """Tell the tool's pose (6,); see `poses.py`."""
        if not self._standing:
            self._servo.reset(self._measured)
            self._governor.reset(self._measured)
            self._standing = True
        self._wanted = tool_pose(pose)
        step = self._servo.step(self._wanted)
        joints = self._governor.step(step.positions, step.velocities)
        self._arm.stream_joints(joints, self._governor.reference_velocity)

    def stop(self) -> None:
        """Stop the arm."""
        self._standing, self._wanted = False, None
        self._arm.stop()

    def recover(self) -> None:
        """Recover the arm, and go on from where it stands."""
        self._arm.recover()
        self._forget()

    def close(self) -> None:
        """Let go of the arm."""
        self._arm.close()
        self._forget()

    def _forget(self) -> None:
        self._standing, self._wanted = False, None
        self._missing_since_s, self._fault = None, ""

    def _watch(self, tool: ToolPose, positions: Array) -> dict[str, float | int | str]:
        """Compare where the tool is with where it was told to be."""
        least = float(np.linalg.svd(self._model.jacobian(positions), compute_uv=False)[-1])
        figures: dict[str, float | int | str] = {
            "least singular value": round(least, 4),
        }
        if self._wanted is None:
            self._missing_since_s = None
            return figures
        off_m = float(np.linalg.norm(tool.position - self._wanted.position))
        off_rad = angle_between(tool.rotation, self._wanted.rotation)
        figures["tool from its pose [mm]"] = round(1e3 * off_m, 1)
        figures["tool from its pose [rad]"] = round(off_rad, 3)
        settings, now_s = self._settings, self._monotonic()
        if off_m <= settings.miss_m and off_rad <= settings.miss_rad:
            self._missing_since_s = None
            return figures
        if self._missing_since_s is None:
            self._missing_since_s = now_s
        if not self._fault and now_s - self._missing_since_s > settings.miss_s:
            self._fault = self._why(off_m, off_rad, least)
            self.stop()
        return figures

    def _why(self, off_m: float, off_rad: float, least: float) -> str:
        lag = np.abs(self._measured - self._governor.reference)
        worst = int(lag.argmax())
        where = f"{1e3 * off_m:.0f} mm and {off_rad:.2f} rad from where it is told to be"
        if lag[worst] > self._settings.miss_rad:
            why = (
                f"{self.joint_names[worst]} does not follow ({lag[worst]:.2f} rad behind): look "
                f"for an obstacle, or a load above the payload"
            )
        elif least < self._settings.singular:
            why = "it is near a singularity: recover, and lead it away from there"
        else:
            why = "the joints cannot reach that pose: recover, and lead it back"
        return f"the tool of '{self.name}' is {where} for {self._settings.miss_s:g} s; {why}"
