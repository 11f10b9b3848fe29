"""What a camera is to this package: settings, frames, and the protocol of a source."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field

from tiltbot_ros.settings import Settings


class CameraSettings(Settings):
    """Which camera, at which size and rate."""

    source: Literal["file", "realsense", "simulated"] = Field(
        default="simulated",
        description="kind of camera: 'file' (a folder of frames or a video), 'realsense', or "
        "'simulated' (the world node renders)",
    )
    path: str = Field(default="", description="folder of frames or video file, for source 'file'")
    width: int = Field(default=640, ge=16, le=4096, description="columns of an image [pixels]")
    height: int = Field(default=480, ge=16, le=4096, description="rows of an image [pixels]")
    rate_hz: float = Field(default=6.0, gt=0.0, le=240.0, description="frames per second [Hz]")
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


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraHealth:
    """How a camera is doing.

    Attributes:
        state: what it does now; "ended" after the last frame of a file.
        detail: one line for a person, empty when there is nothing to say.
        frames: frames delivered since the start.
        late: frames that were delivered later than one period after their time.
    """

    state: CameraState
    detail: str
    frames: int
    late: int


FrameSink = Callable[[RgbdFrame], None]


class CameraSource(Protocol):
    """A camera that calls a sink with every frame, from a thread of its own."""

    @property
    def intrinsics(self) -> CameraIntrinsics:
        """The camera's model, known from the moment the source is made."""

    def start(self, sink: FrameSink) -> None:
        """Begin to deliver frames.

        Raises:
            DeviceError: the camera is absent or refuses its configuration.
        """

    def stop(self) -> None:
        """Stop delivering; no frame reaches the sink after the return."""

    def health(self) -> CameraHealth:
        """Return how the camera is doing; may be called from any thread."""
