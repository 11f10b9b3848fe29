"""Settings of a tray in an arm's hand."""

from pydantic import Field

from tiltbot_ros.settings import Settings, Vector3


class HeldTraySettings(Settings):
    """How the tray sits on the arm, and where the arm holds it."""

    model: str = Field(
        "", description="MJCF or URDF of the arm; empty: config/robots/ROBOT.xml, without meshes"
    )
    hand: str = Field("right_hand", min_length=1, description="site or body that holds the tray")
    offset_m: Vector3 = Field(
        default=[0.0, 0.0, 0.06],
        description="centre of the tray's floor in the hand's frame [m]",
    )
    rotation_rad: Vector3 = Field(
        default=[0.0, 0.0, 0.0],
        description="rotation vector from the hand's frame to the tray's [rad]",
    )
    side_m: float = Field(
        0.34, gt=0.0, le=1.0, description="outer side of the tray, microphones included [m]"
    )
    depth_m: float = Field(
        0.08, gt=0.0, le=0.5, description="from under the floor to the top of the walls [m]"
    )
    level_joints_rad: list[float] = Field(
        default=[0.083, 0.001, 1.73, -0.936, 1.476, 1.699, -0.15],
        min_length=1,
        description="joints that hold the tray about level, as read from the arm [rad]",
    )
    approach_rad: float = Field(
        0.6,
        ge=0.0,
        le=7.0,
        description="farthest joint from the level pose that the arm goes there from by itself; "
        "from farther away a person has to bring it near [rad]",
    )
    approach_rad_s: float = Field(
        0.15,
        gt=0.0,
        le=1.0,
        description="greatest joint speed on the way to the level pose [rad/s]",
    )
