"""A tray that only shows what it would do: a dry run."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.tray import TrayDriver, TrayReading


class PreviewTray:
    """Reads a tray and tells it nothing: its rotation is where the last reference says."""

    def __init__(self, driver: TrayDriver) -> None:
        self._driver = driver
        self._rotation: NDArray[np.float64] = np.zeros(3)

    @property
    def fault(self) -> str:
        """That of the tray."""
        return self._driver.fault

    def command(self, rotation: NDArray[np.float64]) -> None:
        """Keep the reference (2,) [rad]; nothing is sent."""
        self._rotation = np.append(rotation, 0.0)

    def read(self) -> TrayReading:
        """Return the tray's state, turned to the last reference.

        Raises:
            DeviceError: the tray has no state.
        """
        return replace(self._driver.read(), rotation=self._rotation)

    def recover(self) -> None:
        """Do nothing: it may switch motors on."""

    def figures(self) -> Mapping[str, float | int | str]:
        """Return the tray's."""
        return self._driver.figures()

    def close(self) -> None:
        """Let go of the tray."""
        self._driver.close()
