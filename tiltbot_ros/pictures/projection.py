"""From the tray frame to the pixels of an episode's colour images."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tiltbot_ros.episodes.reader import Episode, Poses
from tiltbot_ros.errors import EpisodeError

Floats = npt.NDArray[np.float64]

_TRAY_FRAME = "tray"
_INFO = "camera/color/camera_info"
_POSE = "camera/pose"
_NEAR_M = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True)
class TrayCamera:
    """How the colour camera sees the tray during one episode.

    Attributes:
        k: (3, 3) camera matrix [pixels].
        distortion: (n,) in OpenCV's order.
        optical_from_mount: (4, 4) the frame it is mounted on to its optical frame [m].
        on_tray: it is mounted on the tray and moves with it.
        tray: measured motion of the tray; None: taken as level, or needless on the tray.
    """

    k: Floats
    distortion: Floats
    optical_from_mount: Floats
    on_tray: bool
    tray: Poses | None

    @staticmethod
    def of(episode: Episode) -> "TrayCamera | None":
        """Return the camera of an episode; None when its model or place was not recorded."""
        try:
            infos = episode.deserialised(_INFO)
            mounts = episode.poses(_POSE)
        except EpisodeError:
            return None
        if not infos:
            return None
        mount_from_optical = np.eye(4)
        mount_from_optical[:3, :3] = _matrix(mounts.orientations[-1])
        mount_from_optical[:3, 3] = mounts.positions[-1]
        on_tray = mounts.frame_id.rsplit("/", 1)[-1] == _TRAY_FRAME
        try:
            tray = None if on_tray else episode.tray()
        except EpisodeError:
            tray = None
        return TrayCamera(
            k=np.asarray(infos[0].k, np.float64).reshape(3, 3),
            distortion=np.asarray(infos[0].d, np.float64),
            optical_from_mount=np.asarray(np.linalg.inv(mount_from_optical), np.float64),
            on_tray=on_tray,
            tray=tray,
        )

    def pixels(self, points: Floats, stamp_ns: int) -> Floats:
        """Return where points of the tray are in the image of a moment.

        Args:
            points: (n, 3) in the tray frame [m].
            stamp_ns: of the image [ns].

        Returns:
            (n, 2) columns and rows [pixels]; NaN for points beside or behind the camera.
        """
        mounted = points
        if not self.on_tray and self.tray is not None:
            nearest = int(np.abs(self.tray.stamps_ns - stamp_ns).argmin())
            turn = _matrix(self.tray.orientations[nearest])
            mounted = points @ turn.T + self.tray.positions[nearest]
        rotation, shift = self.optical_from_mount[:3, :3], self.optical_from_mount[:3, 3]
        seen = mounted @ rotation.T + shift
        pixels = np.full((len(points), 2), np.nan)
        front = seen[:, 2] > _NEAR_M
        if front.any():
            projected, _ = cv2.projectPoints(
                np.ascontiguousarray(seen[front]), np.zeros(3), np.zeros(3), self.k, self.distortion
            )
            pixels[front] = projected[:, 0]
        return pixels


def downhill(rotation: tuple[float, float, float]) -> Floats:
    """Return where a tilt sends things, in the plane of the tray.

    Gravity seen from a tray that is turned by the rotation vector (x, y, 0)
    pulls along (y, -x): turning about x lifts the wall at +y.

    Args:
        rotation: rotation vector of the tilted tray [rad].

    Returns:
        (2,) with the length of the rotation [rad].
    """
    return np.array([rotation[1], -rotation[0]])


def _matrix(quaternion: Floats) -> Floats:
    """Return the rotation matrix (3, 3) of a quaternion x, y, z, w of any length."""
    x, y, z, w = quaternion / max(float(np.linalg.norm(quaternion)), _NEAR_M)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turned: Floats = np.eye(3) + 2 * w * cross + 2 * cross @ cross
    return turned
