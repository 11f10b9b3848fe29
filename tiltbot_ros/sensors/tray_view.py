"""A depth camera's pixels as points over the tray."""

import cv2
import numpy as np
import numpy.typing as npt

from tiltbot_ros.errors import ConfigError
from tiltbot_ros.sensors.cameras import CameraIntrinsics


class TrayView:
    """Turns depth into points in the tray frame, on a decimated grid of pixels.

    Args:
        intrinsics: of the camera.
        tray_from_camera: (4, 4) pose of the camera's optical frame in the tray frame [m].
        decimation: camera pixels per pixel of the grid, each way.

    Attributes:
        rows: of the grid.
        columns: of the grid.
        pixel_m: length on the floor of a grid pixel in the middle of the picture [m].

    Raises:
        ConfigError: the camera's model is unknown, or the pose is no rigid
            transform of a camera that looks down on the floor.
    """

    def __init__(
        self,
        intrinsics: CameraIntrinsics,
        tray_from_camera: npt.NDArray[np.float64],
        *,
        decimation: int,
    ) -> None:
        _check_geometry(intrinsics, tray_from_camera)
        self._step = decimation
        self._camera = np.asarray(tray_from_camera[:3, 3], np.float32)
        self._rays = _rays(intrinsics, tray_from_camera[:3, :3], decimation)
        self._floor_m = np.divide(-self._camera[2], self._rays[2])
        self.rows, self.columns = (int(length) for length in self._floor_m.shape)
        middle_m = abs(self._floor_m[self.rows // 2, self.columns // 2])
        self.pixel_m = float(middle_m * decimation / intrinsics.k[0, 0])

    def heights_m(self, depth: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
        """Return (rows, columns) heights over the floor; without meaning where depth is 0 [m].

        Args:
            depth: (height, width) of the camera, along the optical axis [mm].
        """
        decimated = depth[:: self._step, :: self._step]
        heights = decimated * (self._rays[2] * np.float32(1e-3))
        heights += self._camera[2]
        return np.asarray(heights, np.float32)

    def points_m(
        self,
        depth: npt.NDArray[np.uint16] | None,
        window: tuple[slice, slice],
        inside: npt.NDArray[np.bool_],
    ) -> npt.NDArray[np.float32]:
        """Return the (3, n) points of some pixels whose depth is known, in the tray frame [m].

        Args:
            depth: (height, width) of the camera [mm]; None takes every point to lie on the floor.
            window: rows and columns of the grid.
            inside: which pixels of the window.
        """
        if depth is None:
            depth_m = self._floor_m[window][inside]
        else:
            depth_m = depth[:: self._step, :: self._step][window][inside] * np.float32(1e-3)
        points = self._rays[(slice(None), *window)][:, inside] * depth_m + self._camera[:, None]
        return np.asarray(points[:, depth_m > 0.0], np.float32)


def _rays(
    intrinsics: CameraIntrinsics, rotation: npt.NDArray[np.float64], step: int
) -> npt.NDArray[np.float32]:
    """Return (3, rows, columns): the tray-frame vector of 1 m of depth at each decimated pixel."""
    columns, rows = np.meshgrid(
        np.arange(0, intrinsics.width, step, dtype=np.float64),
        np.arange(0, intrinsics.height, step, dtype=np.float64),
    )
    pixels = np.stack([columns, rows], axis=-1).reshape(-1, 1, 2)
    # The iteration that undoes a distortion is slow also where there is none.
    distortion = intrinsics.distortion if intrinsics.distortion.any() else None
    flat = cv2.undistortPoints(pixels, intrinsics.k, distortion).reshape(-1, 2)
    directions = np.column_stack([flat, np.ones(len(flat))]) @ rotation.T
    return np.ascontiguousarray(directions.T.reshape(3, *columns.shape), np.float32)


def _check_geometry(
    intrinsics: CameraIntrinsics, tray_from_camera: npt.NDArray[np.float64]
) -> None:
    if intrinsics.k.shape != (3, 3) or intrinsics.k[0, 0] <= 0.0:
        raise ConfigError(
            "expected a calibrated camera (K with positive focal lengths) for the tracker, got "
            f"K = {intrinsics.k.tolist()}: calibrate the camera or set its model"
        )
    rotation = tray_from_camera[:3, :3]
    rigid = (
        tray_from_camera.shape == (4, 4)
        and np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-4)
        and np.linalg.det(rotation) > 0.0
    )
    if not rigid:
        raise ConfigError(
            "expected tray_from_camera to be a 4 x 4 rotation and translation, got "
            f"{tray_from_camera.tolist()}"
        )
    if rotation[2, 2] >= 0.0 or tray_from_camera[2, 3] <= 0.0:
        raise ConfigError(
            "expected the camera over the floor, looking down on it, got height "
            f"{tray_from_camera[2, 3]:.3f} m and view direction {rotation[:, 2].tolist()}: check "
            "tray_from_camera"
        )
