"""A gripper that follows a number: 0 open, 1 closed."""

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from tiltbot_ros.arms.arm import Gripper
from tiltbot_ros.errors import DeviceError
from tiltbot_ros.settings import Settings


class GripperSettings(Settings):
    """How the gripper follows."""

    speed_m_s: float = Field(0.1, gt=0.0, le=1.0, description="speed of the fingers [m/s]")
    force_n: float = Field(
        20.0, gt=0.0, le=140.0, description="force that holds what is grasped [N]"
    )
    change: float = Field(
        0.05, gt=0.0, le=1.0, description="least change of the command that begins a motion"
    )
    grasp_above: float = Field(
        0.95, gt=0.0, le=1.0, description="command above which it closes with force"
    )
    pause_s: float = Field(
        0.1, ge=0.0, le=10.0, description="least time between two motions that are begun [s]"
    )


class FollowedGripper:
    """Begins a motion when the command has changed enough, and not too often."""

    def __init__(self, gripper: Gripper, settings: GripperSettings) -> None:
        self._gripper = gripper
        self._settings = settings
        self._told: float | None = None
        self._told_s = -np.inf
        self.wanted: float | None = None
        self.problem = ""

    def command(self, closed: float) -> None:
        """Say where it should be, 0 open .. 1 closed."""
        self.wanted = min(max(closed, 0.0), 1.0)

    def forget(self) -> None:
        """Want nothing any more: the next command begins anew."""
        self.wanted = None

    def tick(self, now_s: float) -> None:
        """Begin a motion when one is due."""
        settings, wanted = self._settings, self.wanted
        if wanted is None or now_s - self._told_s < settings.pause_s:
            return
        far = self._told is None or abs(wanted - self._told) >= settings.change
        ends = wanted in (0.0, 1.0) and wanted != self._told
        if not (far or ends):
            return
        self._told, self._told_s = wanted, now_s
        try:
            if wanted >= settings.grasp_above:
                self._gripper.grasp(0.0, speed_m_s=settings.speed_m_s, force_n=settings.force_n)
            else:
                width = (1.0 - wanted) * self._gripper.max_width_m
                self._gripper.move(width, speed_m_s=settings.speed_m_s)
        except DeviceError as error:
            self.problem = str(error)

    def width_m(self) -> float:
        """Return the measured distance of the fingers [m], NaN when it does not answer."""
        try:
            width = self._gripper.width_m
        except DeviceError as error:
            self.problem = str(error)
            return np.nan
        return width

    def stop(self) -> None:
        """Stay where it is, and want nothing."""
        self.wanted = None
        try:
            self._gripper.stop()
        except DeviceError as error:
            self.problem = str(error)

    def figures(self) -> Mapping[str, float | int | str]:
        """Return what the diagnostics show."""
        return {"gripper": self.problem} if self.problem else {}
