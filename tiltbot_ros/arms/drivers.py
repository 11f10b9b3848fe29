"""Which arm holds the tray; only its own library is imported."""

from collections.abc import Callable
from typing import Literal

from pydantic import Field

from tiltbot_ros.arms.kinematic import KinematicSettings, KinematicTray
from tiltbot_ros.arms.tray import TrayDriver
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.settings import Settings


class ArmSettings(Settings):
    """The arm that holds the tray."""

    driver: Literal["simulated", "kinematic"] = Field(
        "simulated",
        description="'simulated' (the world node has the arm), or 'kinematic' (a tray without "
        "physics, where only microphones and camera matter)",
    )
    rate_hz: float = Field(
        100.0, ge=1.0, le=1000.0, description="commands and states a second [Hz]"
    )
    frame_id: str = Field("tray_level", description="TF frame of the level tray")


def open_tray(
    settings: ArmSettings, kinematic: KinematicSettings, *, clock: Callable[[], int]
) -> TrayDriver:
    """Open the driver that the settings name.

    Args:
        settings: of the arm.
        kinematic: of the tray without physics.
        clock: the ROS clock [ns].

    Raises:
        ConfigError: the driver is 'simulated', which is the world node's to make.
    """
    if settings.driver == "kinematic":
        return KinematicTray(kinematic, clock)
    raise ConfigError(
        f"expected arm.driver 'kinematic', got '{settings.driver}': the simulated rig's tray "
        f"comes from its world node"
    )
