"""The tray of a simulated world, behind the driver that real arms have."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.tray import TrayReading
from tiltbot_ros.worlds.tray import TrayWorld


class SimulatedTray:
    """Drives a world's tray; the world's owner lets the time go on and sets `stamp_ns`."""

    fault = ""

    def __init__(self, world: TrayWorld) -> None:
        self._world = world
        self.stamp_ns = 0

    def command(self, rotation: NDArray[np.float64]) -> None:
        """Set the reference (2,) [rad]."""
        self._world.command(rotation)

    def read(self) -> TrayReading:
        """Return the state of this instant."""
        state = self._world.state
        return TrayReading(
            stamp_ns=self.stamp_ns,
            rotation=state.rotation,
            joint_names=("tray_x", "tray_y"),
            joint_positions=state.joint_position,
            joint_velocities=state.joint_velocity,
        )

    def recover(self) -> None:
        """Do nothing: nothing goes wrong with it."""

    def figures(self) -> Mapping[str, float | int | str]:
        """Return nothing: there is nothing to watch."""
        return {}

    def close(self) -> None:
        """Leave the tray as it is; the world ends with its owner."""
