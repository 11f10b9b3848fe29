"""A camera that plays frames from a folder, or colour from a video, at their own pace."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from tiltbot_ros.errors import DeviceError
from tiltbot_ros.sensors.cameras import (
    CameraHealth,
    CameraIntrinsics,
    CameraSettings,
    CameraState,
    FrameSink,
    RgbdFrame,
)
from tiltbot_ros.sensors.frame_folder import FrameFolder

_NS = 1_000_000_000
_LOG = logging.getLogger(__name__)


class _Frames(Protocol):
    """Frames that can be read in order, again and again."""

    @property
    def intrinsics(self) -> CameraIntrinsics: ...

    @property
    def length_ns(self) -> int: ...

    def __len__(self) -> int: ...

    def offset_ns(self, index: int) -> int: ...

    def read(self, index: int, *, stamp_ns: int) -> RgbdFrame: ...


class VideoFrames:
    """The colour frames of a video file.

    Args:
        path: any video that OpenCV's build can read.
        model: gives the camera's model for width and height, which no video knows.

    Raises:
        DeviceError: the file is absent or no video.
    """

    def __init__(self, path: Path, *, model: Callable[[int, int], CameraIntrinsics]) -> None:
        self._path = path
        self._video = cv2.VideoCapture(str(path)) if path.is_file() else None
        if self._video is None or not self._video.isOpened():
            raise DeviceError(f"expected a video file at {path}, found none that OpenCV can read")
        self._rate_hz = float(self._video.get(cv2.CAP_PROP_FPS))
        self._count = int(self._video.get(cv2.CAP_PROP_FRAME_COUNT))
        if self._count < 1 or not 0.0 < self._rate_hz < 1000.0:
            raise DeviceError(
                f"expected frames and a rate in {path}, it says {self._count} frames at "
                f"{self._rate_hz:g} Hz"
            )
        self._next = 0
        self.intrinsics = model(
            int(self._video.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(self._video.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        )

    def __len__(self) -> int:
        return self._count

    @property
    def length_ns(self) -> int:
        """From the first frame to one period after the last [ns]."""
        return self.offset_ns(self._count)

    def offset_ns(self, index: int) -> int:
        """Return how long after the first frame a frame was acquired [ns]."""
        return round(index * _NS / self._rate_hz)

    def read(self, index: int, *, stamp_ns: int) -> RgbdFrame:
        """Return a frame with a given stamp.

        Raises:
            DeviceError: the video ends before that frame.
        """
        if self._video is None or index != self._next:
            self._video = cv2.VideoCapture(str(self._path))
            self._video.set(cv2.CAP_PROP_POS_FRAMES, index)
        good, picture = self._video.read()
        if not good:
            raise DeviceError(
                f"expected {self._count} frames in {self._path}, frame {index} cannot be read: it "
                "is truncated or damaged"
            )
        self._next = index + 1
        color = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
        return RgbdFrame(stamp_ns=stamp_ns, color=color, depth=None, intrinsics=self.intrinsics)


class FileCamera:
    """A `CameraSource` that plays a folder of frames or a video.

    Args:
        settings: with source 'file'; width and height must be the file's. The
            file's own rate and stamps pace it.
        clock: the ROS clock, which gives the first frame's stamp [ns].
        monotonic: the monotonic clock, which paces the frames [ns].
        wait: waits some seconds, and says whether the camera was stopped meanwhile.

    Raises:
        DeviceError: the file is absent, not what it should be, or of another size.
    """

    def __init__(
        self,
        settings: CameraSettings,
        *,
        clock: Callable[[], int],
        monotonic: Callable[[], int] = time.monotonic_ns,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._monotonic = monotonic
        self._wait = wait
        path = Path(settings.path)
        self._frames: _Frames = (
            FrameFolder(path)
            if path.is_dir()
            else VideoFrames(path, model=settings.given_intrinsics)
        )
        found = self._frames.intrinsics
        if (found.width, found.height) != (settings.width, settings.height):
            raise DeviceError(
                f"expected {settings.width} x {settings.height} pixels in {path}, it has "
                f"{found.width} x {found.height}: set width and height"
            )
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._health = CameraHealth(state="stopped", detail="", frames=0, late=0)

    @property
    def intrinsics(self) -> CameraIntrinsics:
        """The camera's model, with a zero matrix when it is not known."""
        return self._frames.intrinsics

    def start(self, sink: FrameSink) -> None:
        """Begin to play from the first frame."""
        self._stop.clear()
        self._health = CameraHealth(state="running", detail="", frames=0, late=0)
        self._thread = threading.Thread(target=self._play, args=(sink,), name="file_camera")
        self._thread.start()

    def stop(self) -> None:
        """Stop playing; no frame reaches the sink after the return."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._health.state == "running":
            self._say("stopped")

    def health(self) -> CameraHealth:
        """Return how the camera is doing; "ended" after the last frame."""
        return self._health

    def _say(self, state: CameraState, detail: str = "", *, frames: int = 0, late: int = 0) -> None:
        self._health = CameraHealth(
            state=state,
            detail=detail,
            frames=self._health.frames + frames,
            late=self._health.late + late,
        )

    def _play(self, sink: FrameSink) -> None:
        start_ns = self._monotonic()
        first_stamp_ns = self._clock()
        begin_ns = 0
        try:
            while True:
                for index in range(len(self._frames)):
                    offset_ns = begin_ns + self._frames.offset_ns(index)
                    frame = self._frames.read(index, stamp_ns=first_stamp_ns + offset_ns)
                    ahead_s = (start_ns + offset_ns - self._monotonic()) / _NS
                    if self._wait(self._stop, max(ahead_s, 0.0)):
                        return
                    if not self._settings.has_depth:
                        frame = replace(frame, depth=None)
                    late = -ahead_s * len(self._frames) * _NS > self._frames.length_ns
                    sink(frame)
                    self._say("running", frames=1, late=int(late))
                if not self._settings.loop:
                    self._say("ended", f"end of {self._settings.path}")
                    return
                begin_ns += self._frames.length_ns
        except DeviceError as error:
            _LOG.error("%s", error)
            self._say("failed", str(error))
        except Exception as error:  # noqa: BLE001 nobody else would notice that this thread ended
            _LOG.exception("playing %s", self._settings.path)
            self._say("failed", f"{type(error).__name__}: {error}")
