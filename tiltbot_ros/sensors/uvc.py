"""A webcam, colour only, through OpenCV and V4L2."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tiltbot_ros.errors import DeviceError
from tiltbot_ros.sensors.camera_rate import Decimator
from tiltbot_ros.sensors.cameras import CameraIntrinsics, CameraSettings, RgbdFrame, Tally
from tiltbot_ros.sensors.clockfit import ClockBridge

_NS = 1_000_000_000
_NS_PER_MS = 1_000_000
_OLD_NS = 2 * _NS
_FAILED_PAUSE_S = 0.02
_DEFAULT = "/dev/video0"
# OpenCV waits 10 s for a frame unless told otherwise, and reads this once in a process.
_WAIT_VARIABLE, _WAIT_S = "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1"


def webcams() -> list[str]:
    """Return the nodes of the cameras there are, by their lasting names where they have one."""
    lasting = sorted(str(path) for path in Path("/dev/v4l/by-id").glob("*index0"))
    return lasting or sorted(str(path) for path in Path("/dev").glob("video*"))


def open_capture(settings: CameraSettings) -> Any:
    """Open OpenCV's capture of a webcam, or of a video in its place, and ask for size and rate.

    Raises:
        DeviceError: it is absent, may not be read, or is no camera.
    """
    if settings.path:
        capture = cv2.VideoCapture(settings.path) if Path(settings.path).is_file() else None
        if capture is None or not capture.isOpened():
            raise DeviceError(
                f"expected a video file at {settings.path}, found none that OpenCV can read"
            )
        return capture
    node = settings.device or _DEFAULT
    if node.isdecimal():
        node = f"/dev/video{node}"
    if not Path(node).exists():
        raise DeviceError(
            f"expected a webcam at {node}, found {', '.join(webcams()) or 'none'}: plug it in, or "
            "set camera.device"
        )
    if not os.access(node, os.R_OK | os.W_OK):
        raise DeviceError(f"expected to be allowed to use {node}: sudo usermod -aG video $USER")
    os.environ.setdefault(_WAIT_VARIABLE, _WAIT_S)
    capture = cv2.VideoCapture(node, cv2.CAP_V4L2)
    if not capture.isOpened():
        raise DeviceError(
            f"expected {node} to open as a camera, it refused: close other programs that use it; "
            "a webcam has several nodes, of which one gives pictures (v4l2-ctl --list-devices)"
        )
    if settings.fourcc:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*settings.fourcc.ljust(4)))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
    capture.set(cv2.CAP_PROP_FPS, settings.rate_hz)
    return capture


class UvcStream:
    """An open webcam, or a video that is played at its own pace in a webcam's place."""

    def __init__(
        self, capture: Any, *, settings: CameraSettings, bridge: ClockBridge, tally: Tally
    ) -> None:
        self._capture = capture
        self._bridge = bridge
        self._tally = tally
        self._latency_ns = round(settings.latency_s * _NS)
        self._paced = bool(settings.path)
        self._source = settings.path or settings.device or _DEFAULT
        told_hz = float(capture.get(cv2.CAP_PROP_FPS))
        self._rate_hz = told_hz if 0.0 < told_hz < 1000.0 else settings.rate_hz
        width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        self._size = (width, height)
        self.intrinsics: CameraIntrinsics = settings.given_intrinsics(width, height)
        self._decimator = Decimator(rate_hz=settings.rate_hz, stream_hz=self._rate_hz)
        self._start_ns = time.monotonic_ns()
        self._grabbed = 0
        self._last_ns: int | None = None
        self.ended = False
        self.remark = ""
        if self._size != (settings.width, settings.height) or (
            self._rate_hz < 0.99 * settings.rate_hz
        ):
            self.remark = (
                f"{settings.width} x {settings.height} at {settings.rate_hz:g} Hz was asked of "
                f"{self._source}, it gives {width} x {height} at {self._rate_hz:g} Hz"
            )

    @property
    def name(self) -> str:
        """Device, size and rate, for a person."""
        width, height = self._size
        return f"{self._source}: colour {width} x {height} at {self._rate_hz:g} Hz"

    def read(self, timeout_s: float) -> RgbdFrame | None:
        """Wait for the next frame of the wanted rate; None when it did not come in time.

        Raises:
            DeviceError: a picture is not what it should be.
        """
        deadline_ns = time.monotonic_ns() + round(timeout_s * _NS)
        while time.monotonic_ns() < deadline_ns:
            acquired_ns = self._grab()
            if acquired_ns is None:
                return None
            self._count(acquired_ns)
            stamp_ns = self._bridge.ros_ns(acquired_ns)
            self._tally.clock_steps = self._bridge.steps
            if self._decimator.wants(stamp_ns):
                return self._picture(stamp_ns)
        return None

    def close(self) -> None:
        """Give the device back."""
        self._capture.release()

    def _grab(self) -> int | None:
        """Wait for a picture; returns when it was taken (monotonic clock) [ns]."""
        if self._paced:
            due_ns = self._start_ns + round(self._grabbed * _NS / self._rate_hz)
            time.sleep(max(0, due_ns - time.monotonic_ns()) / _NS)
        if not self._capture.grab():
            self.ended = self._paced
            time.sleep(_FAILED_PAUSE_S)
            return None
        arrived_ns = time.monotonic_ns()
        self._grabbed += 1
        if self._paced:
            self._tally.domain = "nominal rate"
            return due_ns
        # V4L2 stamps its buffers on the monotonic clock; some drivers leave them zero.
        told_ms = float(self._capture.get(cv2.CAP_PROP_POS_MSEC))
        told_ns = round(told_ms * _NS_PER_MS)
        if 0 <= arrived_ns - told_ns < _OLD_NS:
            self._tally.domain = "V4L2 buffer"
            return told_ns
        self._tally.domain = "arrival"
        return arrived_ns - self._latency_ns

    def _count(self, acquired_ns: int) -> None:
        self._tally.seen += 1
        if self._last_ns is not None:
            periods = round((acquired_ns - self._last_ns) * self._rate_hz / _NS)
            self._tally.dropped += max(0, periods - 1)
        self._last_ns = acquired_ns

    def _picture(self, stamp_ns: int) -> RgbdFrame | None:
        good, picture = self._capture.retrieve()
        if not good:
            self._tally.dropped += 1
            return None
        if picture.ndim != 3 or picture.shape != (self._size[1], self._size[0], 3):
            raise DeviceError(
                f"expected pictures of {self._size[0]} x {self._size[1]} in three colours from "
                f"{self._source}, got an array of {picture.shape}: set camera.fourcc"
            )
        color = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
        return RgbdFrame(stamp_ns=stamp_ns, color=color, depth=None, intrinsics=self.intrinsics)


class UvcOpener:
    """Opens a webcam by its node, or a video by its path.

    Args:
        settings: with source 'uvc'.
        clock: the ROS clock [ns].
        capture: opens the capture; OpenCV's unless another is given.
    """

    def __init__(
        self,
        settings: CameraSettings,
        *,
        clock: Callable[[], int],
        capture: Callable[[CameraSettings], Any] = open_capture,
    ) -> None:
        self._settings = settings
        self._capture = capture
        self._bridge = ClockBridge(clock=clock, monotonic=time.monotonic_ns)

    def open(self, tally: Tally) -> UvcStream:
        """Open the camera.

        Raises:
            DeviceError: it is absent or refuses.
        """
        capture = self._capture(self._settings)
        return UvcStream(capture, settings=self._settings, bridge=self._bridge, tally=tally)
