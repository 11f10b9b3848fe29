"""Where a camera is mounted."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy.spatial.transform import Rotation

from tiltbot_ros.settings import Settings, Vector3


class MountSettings(Settings):
    """Where the camera is, from a calibration of the rig.

    The default looks straight down on the tray from 0.6 m, image up towards +y.
    """

    frame_id: str = Field(
        "tray",
        description="frame the camera is fixed to: 'tray' (it tilts with it, as in the paper) or "
        "'tray_level' (it stands still)",
    )
    position_m: Vector3 = Field(
        [0.0, 0.0, 0.6],
        description="origin of the optical frame, x y z [m]",
    )
    quaternion: list[float] = Field(
        [1.0, 0.0, 0.0, 0.0],
        min_length=4,
        max_length=4,
        description="orientation of the optical frame (x right, y down, z forward), x y z w",
    )

    @model_validator(mode="after")
    def _check_unit(self) -> Self:
        length = float(np.linalg.norm(self.quaternion))
        if not 0.99 < length < 1.01:
            raise ValueError(f"expected a unit quaternion, got one of length {length:g}")
        return self

    def pose(self) -> NDArray[np.float64]:
        """Return the (4, 4) pose, mounting frame from optical frame [m]."""
        pose = np.eye(4)
        pose[:3, :3] = Rotation.from_quat(self.quaternion).as_matrix()
        pose[:3, 3] = self.position_m
        return pose
