"""Which arm holds the tray; only its own library is imported."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from tiltbot_ros.arms.guard import GuardedArm, GuardSettings, rig_limits
from tiltbot_ros.arms.held_settings import HeldTraySettings
from tiltbot_ros.arms.kinematic import KinematicSettings, KinematicTray
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.sawyer.settings import SawyerSettings
from tiltbot_ros.arms.tilts import TiltSettings
from tiltbot_ros.arms.tray import TrayDriver
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.settings import Settings


class ArmSettings(Settings):
    """The arm that holds the tray."""

    driver: Literal["simulated", "kinematic", "sawyer"] = Field(
        "simulated",
        description="'simulated' (the world node has the arm), 'kinematic' (a tray without "
        "physics, where only microphones and camera matter), or 'sawyer'",
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


@dataclass(frozen=True, kw_only=True, slots=True)
class TraySetup:
    """Every group of settings that a tray on an arm may need.

    Attributes:
        arm: which arm.
        kinematic: of the tray without physics.
        guard: limits, deadman and gate of the arm.
        held: how the tray sits on the arm.
        sawyer: of Sawyer's driver.
        tilt: of the tilts that the arm has to follow.
    """

    arm: ArmSettings
    kinematic: KinematicSettings
    guard: GuardSettings
    held: HeldTraySettings
    sawyer: SawyerSettings
    tilt: TiltSettings


def open_tray(setup: TraySetup, *, clock: Callable[[], int]) -> TrayDriver:
    """Open the driver that the settings name; an arm comes level, which blocks.

    Args:
        setup: the rig's settings.
        clock: the ROS clock [ns].

    Raises:
        ConfigError: the settings do not fit together, or the driver is
            'simulated', which is the world node's to make.
        LimitError: a tilt is out of the arm's reach.
        MissingDependencyError: a library of the arm is not installed.
        DeviceError: the arm does not answer.
    """
    if setup.arm.driver == "kinematic":
        return KinematicTray(setup.kinematic, clock)
    if setup.arm.driver == "sawyer":
        return _on_an_arm(setup, clock)
    raise ConfigError(
        f"expected arm.driver 'kinematic' or 'sawyer', got '{setup.arm.driver}': the simulated "
        f"rig's tray comes from its world node"
    )


def _on_an_arm(setup: TraySetup, clock: Callable[[], int]) -> TrayDriver:
    # MuJoCo, SciPy and mink take a second to import.
    from tiltbot_ros.arms.arm_tray import ArmTray  # noqa: PLC0415
    from tiltbot_ros.arms.held import TiltTable, held_tray_model  # noqa: PLC0415
    from tiltbot_ros.arms.sawyer.driver import SawyerArm  # noqa: PLC0415

    arm = SawyerArm(setup.sawyer, rate_hz=setup.arm.rate_hz)
    robot = load_limits(setup.arm.limits or arm.name)
    joints = np.array(setup.held.level_joints_rad)
    if len(joints) != len(arm.joint_names):
        raise ConfigError(
            f"expected {len(arm.joint_names)} numbers in held.level_joints_rad, got {len(joints)}"
        )
    limits = rig_limits(robot, setup.guard, "joint")
    table = TiltTable(
        held_tray_model(setup.held, robot=robot.name, joints=arm.joint_names),
        level_joints=joints,
        max_tilt_rad=setup.tilt.max_tilt_rad,
        limits=limits,
    )
    table.require(setup.tilt)
    # Every joint position of the table is a sound target from any other.
    step_rad = max(setup.guard.largest_step_rad, table.span_rad)
    guard = setup.guard.model_copy(update={"largest_step_rad": step_rad})
    return ArmTray(GuardedArm(arm, robot, guard), table, setup.held, clock=clock)
