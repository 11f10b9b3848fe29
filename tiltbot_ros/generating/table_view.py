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

_DISTANCE_M = 0.94
_LEAST_HEIGHT_M = 0.004
"""Four deviations of the camera's depth at this distance."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What one picture shows.

    Attributes:
        color: (pixels, pixels, 3) uint8, red, green, blue; right is the table's +x, down is -y.
        location: where the tracker sees the object.
        surface: (n, 2) points of the object's visible surface as seen from above [m].
    """

    color: NDArray[np.uint8]
    location: Location
    surface: NDArray[np.float64]


class TableView:
    """A camera that looks down on a table from 0.94 m, and a tracker that knows it empty.

    What is seen depends on the world, the seed and the picture's number alone.

    Args:
        world: what is looked at.
        seed: of the camera's noise.
        pixels: side of a picture.

    Raises:
        MissingDependencyError: there is no EGL to render with.
    """

    def __init__(self, world: TableWorld, *, seed: int, pixels: int) -> None:
        settings = _picture_settings(pixels)
        self._intrinsics = _intrinsics(pixels)
        self._tracker = _learned(world.settings, pixels)
        self._view = TrayView(self._intrinsics, pose(settings), decimation=1)
        self._reach_m = 1.2 * world.settings.half_side_m
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
        """Return a colour picture (pixels, pixels, 3), with the stick where it is or without."""
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
def _learned(settings: TableSettings, pixels: int) -> ObjectTracker:
    """Return a tracker that has seen the empty table; locating does not change it."""
    view, intrinsic = _picture_settings(pixels), _intrinsics(pixels)
    half_m = settings.half_side_m
    tracker = ObjectTracker(
        TrackerSettings(decimation=1, tray_size_m=2 * half_m, margin_m=0.2 * half_m),
        intrinsic,
        pose(view),
    )
    empty = TableWorld(settings)
    painter = Painter(view, seed=0)
    painter.load_model(empty.table.model)
    number = 0
    while not tracker.learned:
        picture = painter.paint(empty.snapshot(frame=number))
        tracker.learn(_frame(picture.color, picture.depth, intrinsic))
        number += 1
    painter.close()
    return tracker


def _picture_settings(pixels: int) -> PictureSettings:
    return PictureSettings(mount="world", distance_m=_DISTANCE_M, width=pixels, height=pixels)


def _intrinsics(pixels: int) -> CameraIntrinsics:
    return CameraIntrinsics(
        width=pixels,
        height=pixels,
        k=intrinsics(_picture_settings(pixels)),
        distortion=np.zeros(5),
    )


def _frame(
    color: NDArray[np.uint8], depth: NDArray[np.uint16], intrinsic: CameraIntrinsics
) -> RgbdFrame:
    return RgbdFrame(stamp_ns=0, color=color, depth=depth, intrinsics=intrinsic)
