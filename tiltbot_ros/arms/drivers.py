"""Which arm a rig has, and what holds its tray; only that arm's own library is imported."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from pydantic import Field

from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.arms.guard import GuardedArm, GuardSettings, rig_limits
from tiltbot_ros.arms.held_settings import HeldTraySettings
from tiltbot_ros.arms.kinematic import KinematicSettings, KinematicTray
from tiltbot_ros.arms.kinova.settings import KinovaSettings
from tiltbot_ros.arms.limits import AxisLimits, RobotLimits, load_limits
from tiltbot_ros.arms.mujoco_arm_settings import MujocoArmSettings
from tiltbot_ros.arms.preview import PreviewArm
from tiltbot_ros.arms.sawyer.settings import SawyerSettings
from tiltbot_ros.arms.tilts import TiltSettings
from tiltbot_ros.arms.tool_settings import ToolSettings
from tiltbot_ros.arms.tray import TrayDriver
from tiltbot_ros.errors import ConfigError, MissingDependencyError
from tiltbot_ros.settings import Settings

if TYPE_CHECKING:
    from tiltbot_ros.arms.arm import Arm

Clock = Callable[[], int]
"""The ROS clock [ns]."""


class ArmSettings(Settings):
    """The arm of a rig."""

    driver: Literal["simulated", "kinematic", "mujoco", "sawyer", "franka", "kinova"] = Field(
        "simulated",
        description="'simulated' (the world node has the tray), 'kinematic' (a tray or an arm "
        "without physics), 'mujoco' (a simulated arm), 'sawyer', 'franka', or 'kinova'",
    )
    rate_hz: float = Field(
        100.0, ge=1.0, le=1000.0, description="commands and states a second [Hz]"
    )
    frame_id: str = Field("tray_level", description="TF frame of the level tray")
    limits: str = Field(
        "",
        description="robot of config/robots, or the path of a YAML file, with the arm's limits; "
        "empty: the one named as the driver",
    )


class ArmRig(Protocol):
    """What the arms ask of a rig: their groups of settings (see tiltbot_ros/rigs.py)."""

    @property
    def arm(self) -> ArmSettings:
        """Which arm."""

    @property
    def held(self) -> HeldTraySettings:
        """How a tray sits in its hand."""

    @property
    def kinova(self) -> KinovaSettings:
        """Of Kinova's driver."""

    @property
    def mujoco_arm(self) -> MujocoArmSettings:
        """Of a simulated arm."""

    @property
    def sawyer(self) -> SawyerSettings:
        """Of Sawyer's driver."""

    @property
    def tool(self) -> ToolSettings:
        """Where the tool is, for an arm whose driver has to know."""

    @property
    def franka(self) -> FrankaSettings:
        """Of Franka's driver."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmKind:
    """One driver.

    Attributes:
        make: returns the arm of a rig, not connected.
        robot: returns the name of the robot, which its limits have in config/robots.
        groups: groups of a rig's settings that `make` reads, besides `arm` and `tool`.
    """

    make: Callable[[ArmRig, Clock], "Arm"]
    robot: Callable[[ArmRig], str]
    groups: tuple[str, ...] = ()


def _kinematic(rig: ArmRig, clock: Clock) -> "Arm":
    from tiltbot_ros.arms.kinematic_arm import KinematicArm  # noqa: PLC0415
    from tiltbot_ros.arms.robots import start_of  # noqa: PLC0415

    limits = robot_limits(rig)
    return KinematicArm(
        name="kinematic",
        joints=limits.joints.names,
        start=start_of(limits),
        rate_hz=rig.arm.rate_hz,
        clock=clock,
    )


def _kinova(rig: ArmRig, clock: Clock) -> "Arm":
    from tiltbot_ros.arms.kinova.driver import KinovaArm  # noqa: PLC0415

    try:
        # The only driver over ROS 2 topics: rclpy comes in here, and only for it.
        from tiltbot_ros.nodes.kortex_link import RosKortexLink  # noqa: PLC0415
    except ImportError as error:
        raise MissingDependencyError(
            f"expected ROS 2 for Python to speak to ros2_kortex, but {error}: ./run setup, or "
            f"source a ROS 2 installation"
        ) from error
    link = RosKortexLink(rig.kinova)
    if rig.kinova.mode == "trajectory":
        return KinovaArm(rig.kinova, link, rate_hz=rig.arm.rate_hz, clock=clock)
    from tiltbot_ros.arms.kinova.twist import KinovaTwistArm  # noqa: PLC0415
    from tiltbot_ros.arms.pose_by_joints import tool_model  # noqa: PLC0415

    model = tool_model(rig.tool, robot="gen3", joints=KinovaArm.joint_names)
    return KinovaTwistArm(rig.kinova, link, model, rate_hz=rig.arm.rate_hz, clock=clock)


def _mujoco(rig: ArmRig, clock: Clock) -> "Arm":
    from tiltbot_ros.arms.mujoco_arm import MujocoArm  # noqa: PLC0415

    held = rig.held if rig.mujoco_arm.held_tray else None
    return MujocoArm(rig.mujoco_arm, rate_hz=rig.arm.rate_hz, clock=clock, held=held)


def _sawyer(rig: ArmRig, clock: Clock) -> "Arm":  # noqa: ARG001 - the robot has its own
    from tiltbot_ros.arms.sawyer.driver import SawyerArm  # noqa: PLC0415

    return SawyerArm(rig.sawyer, rate_hz=rig.arm.rate_hz)


def _franka(rig: ArmRig, clock: Clock) -> "Arm":
    from tiltbot_ros.arms.franka.driver import FrankaArm  # noqa: PLC0415

    joints = robot_limits(rig).joints.reduced(margin=rig.franka.joint_margin_rad)
    return FrankaArm(rig.franka, rate_hz=rig.arm.rate_hz, joints=joints, clock=clock)


ARMS: Mapping[str, ArmKind] = {
    "kinematic": ArmKind(make=_kinematic, robot=lambda _: "plain"),
    "kinova": ArmKind(make=_kinova, robot=lambda _: "gen3", groups=("kinova",)),
    "mujoco": ArmKind(
        make=_mujoco, robot=lambda rig: rig.mujoco_arm.robot, groups=("mujoco_arm", "held")
    ),
    "sawyer": ArmKind(make=_sawyer, robot=lambda _: "sawyer", groups=("sawyer",)),
    "franka": ArmKind(make=_franka, robot=lambda _: "fr3", groups=("franka",)),
}
"""The drivers by the name that `arm.driver` gives them."""


def arm_kind(rig: ArmRig) -> ArmKind:
    """Return the driver that a rig names.

    Raises:
        ConfigError: it has no arm of its own.
    """
    try:
        return ARMS[rig.arm.driver]
    except KeyError:
        raise ConfigError(
            f"expected arm.driver among {', '.join(ARMS)}, got '{rig.arm.driver}': the simulated "
            f"rig's tray comes from its world node, and has no arm"
        ) from None


def make_arm(rig: ArmRig, *, clock: Clock) -> "Arm":
    """Return the arm that a rig names, not connected.

    Args:
        rig: the rig, or the groups of settings that the driver reads.
        clock: the ROS clock [ns].

    Raises:
        ConfigError: the rig has no arm, or its settings do not fit.
        MissingDependencyError: a library or a model of the arm is missing.
    """
    return arm_kind(rig).make(rig, clock)


def robot_limits(rig: ArmRig) -> RobotLimits:
    """Return the limits of a rig's robot, before its ratios and margin.

    Raises:
        ConfigError: the rig has no arm, or there is no such file.
    """
    return load_limits(rig.arm.limits or arm_kind(rig).robot(rig))


def make_pose_arm(rig: ArmRig, *, clock: Clock, limits: AxisLimits, tool: ToolSettings) -> "Arm":
    """Return a rig's arm, which takes poses: by itself, or by kinematics in front of it.

    Args:
        rig: as of `make_arm`.
        clock: the ROS clock [ns].
        limits: of the joints on this rig, ratios and margin applied.
        tool: where the tool is.

    Raises:
        ConfigError: as `make_arm`, or the arm has no model.
        MissingDependencyError: as `make_arm`, or mink is not installed.
    """
    from tiltbot_ros.arms.pose_by_joints import PoseByJoints, tool_model  # noqa: PLC0415

    arm = make_arm(rig, clock=clock)
    if "pose" in arm.spaces:
        return arm
    model = tool_model(tool, robot=arm_kind(rig).robot(rig), joints=arm.joint_names)
    return PoseByJoints(arm, model, limits, tool)


class TrayRig(ArmRig, Protocol):
    """What a tray on an arm asks of a rig, besides what the arm's driver asks."""

    @property
    def kinematic(self) -> KinematicSettings:
        """Of the tray without physics."""

    @property
    def guard(self) -> GuardSettings:
        """Limits, deadman and gate of the arm."""

    @property
    def tilt(self) -> TiltSettings:
        """The tilts that the arm has to follow."""


def open_tray(rig: TrayRig, *, clock: Clock, dry_run: bool = False) -> TrayDriver:
    """Open the driver that the settings name; an arm comes level, which blocks.

    Args:
        rig: the rig, or the groups of settings that a tray on its arm needs.
        clock: the ROS clock [ns].
        dry_run: read the arm and send it nothing.

    Raises:
        ConfigError: the settings do not fit together, or the driver is
            'simulated', which is the world node's to make.
        LimitError: a tilt is out of the arm's reach.
        MissingDependencyError: a library of the arm is not installed.
        DeviceError: the arm does not answer.
    """
    if rig.arm.driver == "kinematic":
        return KinematicTray(rig.kinematic, clock)
    return _on_an_arm(rig, clock, dry_run=dry_run)


def _on_an_arm(rig: TrayRig, clock: Clock, *, dry_run: bool) -> TrayDriver:
    # MuJoCo, SciPy and mink take a second to import.
    from tiltbot_ros.arms.arm_tray import ArmTray  # noqa: PLC0415
    from tiltbot_ros.arms.held import TiltTable, held_tray_model  # noqa: PLC0415

    arm = make_arm(rig, clock=clock)
    if dry_run:
        arm = PreviewArm(arm)
    robot = robot_limits(rig)
    joints = np.array(rig.held.level_joints_rad)
    if len(joints) != len(arm.joint_names):
        raise ConfigError(
            f"expected {len(arm.joint_names)} numbers in held.level_joints_rad, got {len(joints)}"
        )
    limits = rig_limits(robot, rig.guard, "joint")
    table = TiltTable(
        held_tray_model(rig.held, robot=robot.name, joints=arm.joint_names),
        level_joints=joints,
        max_tilt_rad=rig.tilt.max_tilt_rad,
        limits=limits,
    )
    table.require(rig.tilt)
    # Every joint position of the table is a sound target from any other.
    step_rad = max(rig.guard.largest_step_rad, table.span_rad)
    guard = rig.guard.model_copy(update={"largest_step_rad": step_rad})
    return ArmTray(GuardedArm(arm, robot, guard), table, rig.held, clock=clock)
