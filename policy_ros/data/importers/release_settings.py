"""What the Tilt-Bot release does not say of itself, as settings."""

from typing import Literal

from pydantic import Field

from tiltbot_ros.settings import Settings

TrayForm = Literal["rotation_vector", "quaternion_xyzw", "quaternion_wxyz", "euler_xyz", "matrix"]


class ReleaseSettings(Settings):
    """How the Tilt-Bot release is read.

    The layout, the names, the order of the channels and the level of the
    contacts are those of its scripts (https://github.com/Dhiraj100892/swoosh).
    What the entries of data.pkl hold is published nowhere: the keys of the
    tray and of the action are settings, empty by default.
    """

    channel_order: tuple[int, ...] = Field(
        (2, 0, 1, 3),
        min_length=1,
        max_length=64,
        description="number of the sound file that is channel 0, 1, ... [1]",
    )
    tray_key: str = Field(
        "",
        description="where an entry of data.pkl has the tray's orientation, such as "
        "'state/orientation'; empty: nowhere",
    )
    tray_form: TrayForm = Field("rotation_vector", description="how it is written down")
    tray_level: Literal["first", "identity"] = Field(
        "first",
        description="first: the tray is level in the first entry; identity: when it is not rotated",
    )
    tray_axes: str = Field(
        "+x+y+z",
        pattern=r"^[+-][xyz][+-][xyz][+-][xyz]$",
        description="axes of the level tray in the frame that the orientation is given in",
    )
    action_key: str = Field(
        "",
        description="where an entry has the commanded rotation vector (2 or 3 numbers) [rad]; "
        "empty: tilts are found in the tray's motion",
    )
    max_tilt_rad: float = Field(0.45, gt=0.0, le=3.2, description="tilt of an action of 1 [rad]")
    tilt_rad: float = Field(
        0.03, gt=0.0, le=1.0, description="a tray tilted further than this is in a tilt [rad]"
    )
    tilt_pause_s: float = Field(
        0.2, ge=0.0, le=10.0, description="a tray level for less than this is still in it [s]"
    )
    depth_mm: float = Field(
        0.0,
        ge=0.0,
        le=1000.0,
        description="depth of one step of grey of the depth video; 0: leave it out [mm]",
    )
    jpeg_quality: int = Field(
        95, ge=1, le=100, description="of the colour pictures in the episodes [1]"
    )
