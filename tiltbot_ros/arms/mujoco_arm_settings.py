"""Settings of a simulated arm."""

from typing import Literal

from pydantic import Field

from tiltbot_ros.settings import Settings

RobotName = Literal["plain", "panda", "gen3", "sawyer", "baxter"]


class MujocoArmSettings(Settings):
    """Which arm is simulated, and how its joints are driven."""

    robot: RobotName = Field(
        "plain",
        description="'plain' (simple shapes, always there), or a robot whose model is looked for: "
        "'panda' with its hand, 'gen3' with a Robotiq 2F-85, 'sawyer', 'baxter' (right arm)",
    )
    model: str = Field(
        "",
        description="MJCF of the robot; empty: looked for in the folders of TILTBOT_ROBOT_MODELS "
        "and in installed packages (docs/simulated_arms.md)",
    )
    held_tray: bool = Field(
        default=False, description="put the tray of the group `held` in its hand"
    )
    start_joints_rad: list[float] = Field(
        default=[], description="where the joints start [rad]; empty: the robot's usual place"
    )
    servo_rad_s: float = Field(
        60.0,
        gt=1.0,
        le=300.0,
        description="bandwidth of the joints' position servos, critically damped: a reference is "
        "followed with a lag of twice its inverse [rad/s]",
    )
    strength_rad_s2: float = Field(
        400.0,
        gt=1.0,
        le=10000.0,
        description="greatest acceleration that a servo can give its unloaded joint [rad/s2]",
    )
    step_s: float = Field(0.002, ge=0.0002, le=0.01, description="step of the simulation [s]")
    watchdog_s: float = Field(
        0.2,
        gt=0.0,
        le=5.0,
        description="silence after which the simulated robot brakes by itself [s]",
    )
    braking_rad_s2: float = Field(
        4.0, gt=0.0, le=50.0, description="deceleration when it does [rad/s2]"
    )
