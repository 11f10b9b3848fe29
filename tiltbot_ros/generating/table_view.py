"""The camera over the table: pictures, and where the tracker sees the object in them."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.sensors.cameras import CameraIntrinsics, RgbdFrame
from tiltbot_ros.sensors.tracker import Location, ObjectTracker, TrackerSettings
from tiltbot_ros.sensors.tray_view import TrayView
from tiltbot_ros.worlds.camera import Painter, PictureSettings, intrinsics, pose
from tiltbot_ros.worlds.table import TableWorld
from tiltbot_ros.worlds.table_model import TableSettings

_LEAST_HEIGHT_M = 0.005
"""Four deviations of the camera's depth at 1.15 m."""

_BEYOND = 0.45
"""How far beyond the square of normalised coordinates an object may be, as part of its half."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What one picture shows.

    Attributes:
        color: (height, width, 3) uint8, red, green, blue; right is the table's +x, down is -y.
        location: where the tracker sees the object.
        surface: (n, 2) points of the object's visible surface as seen from above [m].
    """

    color: NDArray[np.uint8]
    location: Location
    surface: NDArray[np.float64]


class TableView:
    """A camera that looks down on a table, and a tracker that knows the table empty.

    What is seen depends on the world, the seed and the picture's number alone.

    Args:
        world: what is looked at.
        settings: of a camera that stands still over the table (mount "world").
        seed: of the camera's noise.

    Raises:
        MissingDependencyError: there is no EGL to render with.
    """

    def __init__(self, world: TableWorld, settings: PictureSettings, *, seed: int) -> None:
        self._intrinsics = _intrinsics(settings)
        self._tracker = _learned(world.settings, settings)
        self._view = TrayView(self._intrinsics, pose(settings), decimation=1)
        self._reach_m = (1.0 + _BEYOND) * world.settings.half_side_m
        self._painter = Painter(settings, seed=seed)
        self._painter.load_model(world.table.model)

    def look(self, world: TableWorld, *, number: int) -> Sight:
        """Take a picture without the stick, and find the object in it.

        Args:
            world: the one it was made for.
            number: of the picture; its noise follows from it.
        """
        picture = self._painter.paint(world.snapshot(frame=number))
        frame = _frame(picture.color, picture.depth, self._intrinsics)
        return Sight(
            color=picture.color,
            location=self._tracker.locate(frame),
            surface=self._surface(picture.depth),
        )

    def picture(self, world: TableWorld, *, number: int, stick: bool) -> NDArray[np.uint8]:
        """Return a colour picture (height, width, 3), with the stick where it is or without."""
        return self._painter.paint(world.snapshot(frame=number, stick=stick)).color

    def close(self) -> None:
        """Give the graphics context back."""
        self._painter.close()

    def _surface(self, depth: NDArray[np.uint16]) -> NDArray[np.float64]:
        raised = (self._view.heights_m(depth) > _LEAST_HEIGHT_M).astype(np.uint8)
        cross = np.asarray(cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), np.uint8)
        opened = np.asarray(cv2.morphologyEx(raised, cv2.MORPH_OPEN, cross), np.bool_)
        points = self._view.points_m(depth, (slice(None), slice(None)), opened)[:2]
        inside = (np.abs(points) < self._reach_m).all(axis=0)
        return points[:, inside].T.astype(np.float64)


@lru_cache(maxsize=4)
def _learned(settings: TableSettings, camera: PictureSettings) -> ObjectTracker:
    """Return a tracker that has seen the empty table; locating does not change it."""
    intrinsic = _intrinsics(camera)
    half_m = settings.half_side_m
    tracker = ObjectTracker(
        TrackerSettings(decimation=1, tray_size_m=2 * half_m, margin_m=_BEYOND * half_m),
        intrinsic,
        pose(camera),
    )
    empty = TableWorld(settings)
    painter = Painter(camera, seed=0)
    painter.load_model(empty.table.model)
    number = 0
    while not tracker.learned:
        picture = painter.paint(empty.snapshot(frame=number))
        tracker.learn(_frame(picture.color, picture.depth, intrinsic))
        number += 1
    painter.close()
    return tracker


def _intrinsics(settings: PictureSettings) -> CameraIntrinsics:
    return CameraIntrinsics(
        width=settings.width,
        height=settings.height,
        k=intrinsics(settings),
        distortion=np.zeros(5),
    )


def _frame(
    color: NDArray[np.uint8], depth: NDArray[np.uint16], intrinsic: CameraIntrinsics
) -> RgbdFrame:
    return RgbdFrame(stamp_ns=0, color=color, depth=depth, intrinsics=intrinsic)
