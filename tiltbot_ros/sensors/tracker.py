"""Finds the object on the tray: what differs from the empty tray, in colour and in depth."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from tiltbot_ros.errors import DeviceError
from tiltbot_ros.sensors.cameras import CameraIntrinsics, RgbdFrame
from tiltbot_ros.sensors.tray_view import TrayView
from tiltbot_ros.settings import Settings

Reason = Literal["", "not learned", "nothing", "too small", "too large", "several", "no depth"]

# Heights as 8-bit pictures: half a millimetre a step, from 20 mm under the floor.
_STEPS_PER_M = 2000.0
_FLOOR_STEP = 40.0


class TrackerSettings(Settings):
    """How the object is told from the tray."""

    depth: bool = Field(
        default=True,
        description="look at depth, too; false in the graph of a camera without it: every point "
        "is then taken to lie on the floor",
    )
    learn_frames: int = Field(
        default=20, ge=1, le=10_000, description="frames of the empty tray to learn"
    )
    decimation: int = Field(
        default=2, ge=1, le=8, description="pixels of the camera per pixel looked at, each way"
    )
    color_variances: float = Field(
        default=25.0,
        gt=0.0,
        le=1000.0,
        description="squared distance from the learned colour that is foreground [variances]",
    )
    depth_variances: float = Field(
        default=16.0,
        gt=0.0,
        le=1000.0,
        description="squared distance from the learned height that is foreground [variances]",
    )
    learning_rate: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="weight of a new frame after learning, outside the object; 0: the tray is "
        "learned once and a resting object never fades",
    )
    open_m: float = Field(
        default=0.004, ge=0.0, le=0.1, description="narrower foreground is removed [m]"
    )
    join_m: float = Field(
        default=0.025,
        ge=0.0,
        le=0.1,
        description="parts with a narrower gap between them are one object [m]",
    )
    min_area_m2: float = Field(
        default=2e-4, gt=0.0, le=1.0, description="least area of an object seen from above [m^2]"
    )
    max_area_m2: float = Field(
        default=0.04, gt=0.0, le=1.0, description="largest area of an object seen from above [m^2]"
    )
    max_height_m: float = Field(
        default=0.30, gt=0.0, le=2.0, description="what is higher over the floor is no object [m]"
    )
    tray_size_m: float = Field(
        default=0.30, gt=0.0, le=2.0, description="inner length of the tray's sides [m]"
    )
    margin_m: float = Field(
        default=0.02,
        ge=0.0,
        le=0.5,
        description="how far beyond the walls an object may reach [m]",
    )
    several_ratio: float = Field(
        default=0.5,
        gt=0.0,
        le=1.0,
        description="a second object of at least this part of the largest one's area makes the "
        "location invalid",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Location:
    """Where the object is.

    Attributes:
        stamp_ns: of the frame (ROS clock) [ns].
        valid: one plausible object was found.
        reason: why not, empty when valid.
        position: (3,) float64, centre of the visible surface as seen from
            above, in the tray frame [m]; NaN when not valid.
        pixels: camera pixels that belong to the object, 0 when not valid.
    """

    stamp_ns: int
    valid: bool
    reason: Reason
    position: npt.NDArray[np.float64]
    pixels: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Candidate:
    area_m2: float
    position: npt.NDArray[np.float64]
    pixels: int


class ObjectTracker:
    """Locates one object by background subtraction with OpenCV's MOG2 on colour and on height.

    Height over the floor is computed from depth, so that both models speak of
    the tray and a threshold is the same length everywhere. A pixel is
    foreground when either says so: colour sees flat objects, height those of
    the tray's colour. Each surface point counts with its area as seen from
    above, so that the visible side of a tall object does not pull the centre.
    Without depth, the surface is taken to lie on the floor.

    OpenCV is set to one thread, for the whole process.

    Args:
        settings: how the object is told from the tray.
        intrinsics: of the camera.
        tray_from_camera: (4, 4) pose of the camera's optical frame in the tray frame [m].

    Raises:
        ConfigError: the camera's model is unknown or the pose is no rigid transform.
    """

    def __init__(
        self,
        settings: TrackerSettings,
        intrinsics: CameraIntrinsics,
        tray_from_camera: npt.NDArray[np.float64],
    ) -> None:
        cv2.setNumThreads(1)
        self._settings = settings
        self._intrinsics = intrinsics
        self._view = TrayView(intrinsics, tray_from_camera, decimation=settings.decimation)
        self._cell_m = 1.5 * self._view.pixel_m
        self._open = _disc(settings.open_m / self._view.pixel_m)
        self._join = _disc(settings.join_m / self._view.pixel_m)
        self._color_model = cv2.createBackgroundSubtractorMOG2(
            settings.learn_frames, settings.color_variances, detectShadows=True
        )
        self._depth_model = cv2.createBackgroundSubtractorMOG2(
            settings.learn_frames, settings.depth_variances, detectShadows=False
        )
        self._learned = 0
        self._known = np.zeros((self._view.rows, self._view.columns), np.int32)

    @property
    def learned(self) -> bool:
        """Whether enough frames of the empty tray were learned."""
        return self._learned >= self._settings.learn_frames

    def reset(self) -> None:
        """Forget the tray."""
        self._learned = 0
        self._known[...] = 0

    def learn(self, frame: RgbdFrame) -> None:
        """Take in a frame of the empty tray.

        Raises:
            DeviceError: the frame is not of the camera's size.
        """
        color, height, known = self._pictures(frame)
        rate = 1.0 / (self._learned + 1)
        self._color_model.apply(color, learningRate=rate)
        if height is not None:
            self._depth_model.apply(height, learningRate=rate)
        if known is not None:
            self._known += known
        self._learned += 1

    def locate(self, frame: RgbdFrame) -> Location:
        """Look for the object.

        Raises:
            DeviceError: the frame is not of the camera's size.
        """
        color, height, known = self._pictures(frame)
        if not self.learned:
            return _invalid(frame, "not learned")
        # MOG2 marks shadows with 127.
        foreground = self._color_model.apply(color, learningRate=0.0) == 255
        if height is not None and known is not None:
            raised = self._depth_model.apply(height, learningRate=0.0) == 255
            usable = known & (self._known > self._learned // 2)
            foreground |= raised & usable
        mask = np.asarray(
            cv2.morphologyEx(foreground.astype(np.uint8), cv2.MORPH_OPEN, self._open), np.uint8
        )
        location = self._choose(frame, mask)
        if self._settings.learning_rate > 0.0:
            self._follow_drift(color, height, mask)
        return location

    def _choose(self, frame: RgbdFrame, mask: npt.NDArray[np.uint8]) -> Location:
        joined = cv2.dilate(mask, self._join)
        count, label_image, statistics, _ = cv2.connectedComponentsWithStats(joined)
        if count == 1:
            return _invalid(frame, "nothing")
        labels = np.asarray(label_image, np.int32) * mask
        stats = np.asarray(statistics, np.int32)
        found: list[_Candidate] = []
        unseen = 0
        for label in 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:8]:
            candidate = self._measure(frame, labels, stats, int(label))
            if candidate is None:
                unseen += 1
            else:
                found.append(candidate)
        found.sort(key=lambda candidate: -candidate.area_m2)
        if not found:
            return _invalid(frame, "no depth" if unseen else "nothing")
        if found[0].area_m2 > self._settings.max_area_m2:
            return _invalid(frame, "too large")
        if found[0].area_m2 < self._settings.min_area_m2:
            return _invalid(frame, "too small")
        least = self._settings.several_ratio * found[0].area_m2
        if len(found) > 1 and found[1].area_m2 > max(least, self._settings.min_area_m2):
            return _invalid(frame, "several")
        return Location(
            stamp_ns=frame.stamp_ns,
            valid=True,
            reason="",
            position=found[0].position,
            pixels=found[0].pixels,
        )

    def _measure(
        self,
        frame: RgbdFrame,
        labels: npt.NDArray[np.int32],
        stats: npt.NDArray[np.int32],
        label: int,
    ) -> _Candidate | None:
        """Return a component's extent over the tray, or None where it has no points there."""
        left, top, width, height, _ = stats[label].tolist()
        window = (slice(top, top + height), slice(left, left + width))
        inside = labels[window] == label
        points = self._view.points_m(frame.depth, window, inside)
        reach = self._settings.tray_size_m / 2.0 + self._settings.margin_m
        on_tray = (np.abs(points[:2]) < reach).all(axis=0)
        on_tray &= points[2] < self._settings.max_height_m
        points = points[:, on_tray]
        if points.shape[1] == 0:
            return None
        cells = np.floor((points[:2] + reach) / self._cell_m).astype(np.int64)
        side = int(2.0 * reach / self._cell_m) + 2
        code = cells[0] * side + cells[1]
        occupied, index = np.unique(code, return_inverse=True)
        per_cell = np.bincount(index)
        means = [np.bincount(index, weights=axis) / per_cell for axis in points]
        return _Candidate(
            area_m2=len(occupied) * self._cell_m**2,
            position=np.array([mean.mean() for mean in means]),
            pixels=int(inside.sum()) * self._settings.decimation**2,
        )

    def _pictures(
        self, frame: RgbdFrame
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None, npt.NDArray[np.bool_] | None]:
        """Return decimated colour, height over the floor, and where height is known."""
        size = (self._intrinsics.height, self._intrinsics.width)
        if frame.color.shape[:2] != size:
            raise DeviceError(
                f"expected frames of {size[1]} x {size[0]} pixels as the camera's model says, got "
                f"{frame.color.shape[1]} x {frame.color.shape[0]}"
            )
        step = self._settings.decimation
        color = frame.color
        if step > 1:
            size_out = (self._view.columns, self._view.rows)
            shrunk = cv2.resize(color, size_out, interpolation=cv2.INTER_AREA)
            color = np.asarray(shrunk, np.uint8)
        if frame.depth is None:
            return color, None, None
        known = frame.depth[::step, ::step] > 0
        steps = self._view.heights_m(frame.depth) * np.float32(_STEPS_PER_M)
        steps += np.float32(_FLOOR_STEP)
        np.clip(steps, 0.0, 255.0, out=steps)
        steps[~known] = _FLOOR_STEP
        return color, steps.astype(np.uint8), known

    def _follow_drift(
        self,
        color: npt.NDArray[np.uint8],
        height: npt.NDArray[np.uint8] | None,
        mask: npt.NDArray[np.uint8],
    ) -> None:
        """Let both models follow the picture outside the foreground."""
        inside = mask > 0
        rate = self._settings.learning_rate
        for model, picture in ((self._color_model, color), (self._depth_model, height)):
            if picture is not None:
                kept = picture.copy()
                kept[inside] = model.getBackgroundImage()[inside]
                model.apply(kept, learningRate=rate)


def _disc(pixels: float) -> npt.NDArray[np.uint8]:
    size = max(1, round(pixels)) | 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _invalid(frame: RgbdFrame, reason: Reason) -> Location:
    return Location(
        stamp_ns=frame.stamp_ns,
        valid=False,
        reason=reason,
        position=np.full(3, np.nan),
        pixels=0,
    )
