"""What a camera is to this package: settings, frames, and the protocol of a source."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from tiltbot_ros.settings import Settings


class CameraSettings(Settings):
    """Which camera, at which size and rate."""

    source: Literal["file", "realsense", "uvc", "simulated"] = Field(
        default="simulated",
        description="kind of camera: 'file' (a folder of frames or a video), 'realsense' (colour "
        "and depth), 'uvc' (a webcam, colour only), or 'simulated' (the world node renders)",
    )
    device: str = Field(
        default="",
        description="which one: serial number of a RealSense (empty: the only one); node of a "
        "webcam, such as /dev/v4l/by-id/... (empty: /dev/video0)",
    )
    path: str = Field(
        default="",
        description="folder of frames or video, for source 'file'; a recording (.db3) that is "
        "played in place of a RealSense, or a video in place of a webcam",
    )
    width: int = Field(default=640, ge=16, le=4096, description="columns of an image [pixels]")
    height: int = Field(default=480, ge=16, le=4096, description="rows of an image [pixels]")
    rate_hz: float = Field(default=6.0, gt=0.0, le=240.0, description="frames per second [Hz]")
    depth: bool = Field(
        default=True, description="depth is taken, too; a camera of source 'uvc' has none"
    )
    fourcc: str = Field(
        default="",
        max_length=4,
        description="pixel format asked of a webcam, such as MJPG; empty: its own choice",
    )
    matrix: list[float] = Field(
        default=[],
        max_length=4,
        description="focal lengths and centre, fx fy cx cy, of a webcam or video at this size "
        "[pixels]; empty: not calibrated, and the object is not tracked",
    )
    distortion: list[float] = Field(
        default=[], max_length=5, description="k1 k2 p1 p2 k3 that belong to the matrix"
    )
    latency_s: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="from exposure to arrival; taken off stamps that are made from arrivals [s]",
    )
    stall_s: float = Field(
        default=2.0,
        ge=0.1,
        le=60.0,
        description="silence after which a device is taken for gone and opened anew [s]",
    )
    retry_max_s: float = Field(
        default=10.0,
        ge=0.05,
        le=600.0,
        description="longest pause between attempts to open a device that is gone [s]",
    )
    loop: bool = Field(default=False, description="start again at the end of the file")
    jpeg_quality: int = Field(
        default=90, ge=1, le=100, description="of the compressed colour images"
    )
    png_level: int = Field(
        default=4,
        ge=0,
        le=9,
        description="of the compressed depth images; more is smaller and slower",
    )
    frame_id: str = Field(
        default="camera_color_optical_frame",
        description="TF frame of the images: x right, y down, z forward",
    )

    @model_validator(mode="after")
    def _check_model(self) -> Self:
        if len(self.matrix) not in {0, 4}:
            raise ValueError(f"expected matrix as fx, fy, cx, cy, got {self.matrix}")
        if len(self.distortion) not in {0, 5} or (self.distortion and not self.matrix):
            raise ValueError(
                f"expected distortion as k1, k2, p1, p2, k3 beside a matrix, got {self.distortion}"
            )
        return self

    @property
    def has_depth(self) -> bool:
        """Whether depth images are published."""
        return self.depth and self.source != "uvc"

    @property
    def has_model(self) -> bool:
        """Whether the camera's model is known, which the tracker needs."""
        knows_none = self.source == "uvc" or (self.source == "file" and Path(self.path).is_file())
        return bool(self.matrix) or not knows_none

    def given_intrinsics(self, width: int, height: int) -> "CameraIntrinsics":
        """Return the model of the settings for pictures of a size [pixels].

        The camera matrix is zero, which is how a ROS CameraInfo says "not
        calibrated", when none is given or when it belongs to another size.
        """
        k = np.zeros((3, 3))
        distortion = np.zeros(5)
        if self.matrix and (width, height) == (self.width, self.height):
            fx, fy, cx, cy = self.matrix
            k = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
            distortion[:] = self.distortion or 0.0
        return CameraIntrinsics(width=width, height=height, k=k, distortion=distortion)


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraIntrinsics:
    """The pinhole model of a camera.

    Attributes:
        width: columns [pixels].
        height: rows [pixels].
        k: (3, 3) float64 camera matrix [pixels].
        distortion: (5,) float64, OpenCV's k1 k2 p1 p2 k3 ("plumb_bob").
    """

    width: int
    height: int
    k: npt.NDArray[np.float64]
    distortion: npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class RgbdFrame:
    """One colour image with the depth image aligned to it.

    Attributes:
        stamp_ns: acquisition time (ROS clock) [ns].
        color: (height, width, 3) uint8, red, green, blue.
        depth: (height, width) uint16, distance along the optical axis [mm],
            0 where unknown; None for a camera without depth.
        intrinsics: of the colour camera, to which the depth is aligned.
    """

    stamp_ns: int
    color: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.uint16] | None
    intrinsics: CameraIntrinsics


CameraState = Literal["stopped", "running", "stalled", "ended", "failed"]


@dataclass(kw_only=True, slots=True)
class Tally:
    """What is counted of a live camera since its start.

    Attributes:
        seen: colour frames that came from the device.
        dropped: frames that the device made and that never came.
        unmatched: colour frames that no depth frame was taken near enough in time to.
        disordered: frames that came after a later one.
        restamped: frames whose own time could not be believed.
        clock_steps: steps of the ROS clock.
        domain: the clock that the frames' own times are of.
    """

    seen: int = 0
    dropped: int = 0
    unmatched: int = 0
    disordered: int = 0
    restamped: int = 0
    clock_steps: int = 0
    domain: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraHealth:
    """How a camera is doing.

    Attributes:
        state: what it does now; "ended" after the last frame of a file.
        detail: one line for a person, empty when there is nothing to say.
        frames: frames delivered since the start.
        late: frames of a file that were delivered later than one period after their time.
        stream: what is open: device, size, rate; empty for a file.
        misses: waits for a frame that ended without one.
        reconnects: times that frames came again after the device was gone.
        tally: what else is counted.
    """

    state: CameraState
    detail: str
    frames: int
    late: int
    stream: str = ""
    misses: int = 0
    reconnects: int = 0
    tally: Tally = field(default_factory=Tally)


FrameSink = Callable[[RgbdFrame], None]


class CameraSource(Protocol):
    """A camera that calls a sink with every frame, from a thread of its own."""

    @property
    def intrinsics(self) -> CameraIntrinsics:
        """The camera's model; its matrix is zero as long as it is not known."""

    def start(self, sink: FrameSink) -> None:
        """Begin to deliver frames.

        Raises:
            DeviceError: the camera is absent or refuses its configuration.
        """

    def stop(self) -> None:
        """Stop delivering; no frame reaches the sink after the return."""

    def health(self) -> CameraHealth:
        """Return how the camera is doing; may be called from any thread."""
