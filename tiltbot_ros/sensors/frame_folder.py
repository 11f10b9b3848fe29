"""Camera frames in a folder: lossless pictures that any tool opens.

`color_000000.png` (or `.jpg`, 8-bit colour), `depth_000000.png` (16-bit grey,
millimetres; absent for a camera without depth) and so on without a gap, and
`camera.json` with the camera's model, rate and stamps.
"""

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tiltbot_ros.errors import DeviceError
from tiltbot_ros.sensors.cameras import CameraIntrinsics, RgbdFrame


class CameraFile(BaseModel):
    """What `camera.json` holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(gt=0, description="columns [pixels]")
    height: int = Field(gt=0, description="rows [pixels]")
    k: list[list[float]] = Field(
        min_length=3, max_length=3, description="3 x 3 camera matrix [pixels]"
    )
    distortion: list[float] = Field(
        default=[0.0] * 5, min_length=5, max_length=5, description="k1 k2 p1 p2 k3"
    )
    rate_hz: float = Field(gt=0.0, description="frames per second [Hz]")
    stamps_ns: list[int] = Field(
        default=[], description="acquisition time of each frame [ns]; empty: evenly at the rate"
    )

    @property
    def intrinsics(self) -> CameraIntrinsics:
        """The camera's model."""
        return CameraIntrinsics(
            width=self.width,
            height=self.height,
            k=np.array(self.k, np.float64).reshape(3, 3),
            distortion=np.array(self.distortion, np.float64),
        )


class FrameFolder:
    """A folder of frames, read one at a time.

    Args:
        folder: that holds the pictures and `camera.json`.

    Raises:
        DeviceError: a file is missing or is not what it should be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.camera = _read_camera(folder / "camera.json")
        self.intrinsics = self.camera.intrinsics
        self._colors = sorted(folder.glob("color_*.png")) or sorted(folder.glob("color_*.jpg"))
        self._has_depth = (folder / "depth_000000.png").exists()
        self._check_names()

    def __len__(self) -> int:
        return len(self._colors)

    def offset_ns(self, index: int) -> int:
        """Return how long after the first frame a frame was acquired [ns]."""
        stamps = self.camera.stamps_ns
        if stamps:
            return stamps[index] - stamps[0]
        return round(index * 1e9 / self.camera.rate_hz)

    @property
    def length_ns(self) -> int:
        """From the first frame to one period after the last [ns]."""
        return self.offset_ns(len(self) - 1) + round(1e9 / self.camera.rate_hz)

    def read(self, index: int, *, stamp_ns: int) -> RgbdFrame:
        """Return a frame with a given stamp.

        Raises:
            DeviceError: a picture is missing, damaged, or of another size or depth.
        """
        color = self._picture(self._colors[index], cv2.IMREAD_COLOR, np.dtype(np.uint8), 3)
        depth = None
        if self._has_depth:
            path = self._folder / f"depth_{index:06d}.png"
            depth = self._picture(path, cv2.IMREAD_UNCHANGED, np.dtype(np.uint16), 2)
        return RgbdFrame(
            stamp_ns=stamp_ns,
            color=np.asarray(cv2.cvtColor(color, cv2.COLOR_BGR2RGB), np.uint8),
            depth=depth,
            intrinsics=self.intrinsics,
        )

    def _picture(
        self, path: Path, mode: int, dtype: np.dtype[np.uint8] | np.dtype[np.uint16], ndim: int
    ) -> np.ndarray:
        picture = cv2.imread(str(path), mode) if path.exists() else None
        if picture is None:
            raise DeviceError(f"expected a picture at {path}, it is missing or damaged")
        size = (self.camera.height, self.camera.width)
        if picture.dtype != dtype or picture.ndim != ndim or picture.shape[:2] != size:
            raise DeviceError(
                f"expected {path} to have {size[1]} x {size[0]} pixels of {dtype} as camera.json "
                f"says, got {picture.shape[1]} x {picture.shape[0]} of {picture.dtype}"
            )
        return np.asarray(picture)

    def _check_names(self) -> None:
        if not self._colors:
            raise DeviceError(
                f"expected color_000000.png (or .jpg) and so on in {self._folder}, found none"
            )
        for index, path in enumerate(self._colors):
            if path.stem != f"color_{index:06d}":
                raise DeviceError(
                    f"expected color_{index:06d}{path.suffix} in {self._folder}, found {path.name}:"
                    " number the frames from 0 without a gap"
                )
        stamps = self.camera.stamps_ns
        if stamps and len(stamps) != len(self):
            raise DeviceError(
                f"expected {len(self)} stamps_ns in {self._folder / 'camera.json'}, one per frame, "
                f"got {len(stamps)}"
            )
        if any(after <= before for before, after in itertools.pairwise(stamps)):
            raise DeviceError(f"expected stamps_ns in {self._folder} to grow from frame to frame")


def write_frames(
    folder: Path,
    frames: Iterable[RgbdFrame],
    *,
    rate_hz: float,
    color_format: Literal["png", "jpg"] = "png",
) -> int:
    """Write frames as a folder that `FrameFolder` reads; returns how many.

    Args:
        folder: made if it is not there.
        frames: of one camera, at least one.
        rate_hz: nominal frames per second [Hz].
        color_format: 'png' keeps every value, 'jpg' is small.

    Raises:
        DeviceError: there are no frames, or the folder already holds some.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.glob("color_*")):
        raise DeviceError(f"expected {folder} to hold no frames yet: choose another folder")
    stamps: list[int] = []
    intrinsics: CameraIntrinsics | None = None
    for index, frame in enumerate(frames):
        intrinsics = frame.intrinsics
        stamps.append(frame.stamp_ns)
        bgr = cv2.cvtColor(frame.color, cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(folder / f"color_{index:06d}.{color_format}"), bgr)
        if frame.depth is not None:
            cv2.imwrite(str(folder / f"depth_{index:06d}.png"), frame.depth)
    if intrinsics is None:
        raise DeviceError(f"expected at least one frame to write to {folder}, got none")
    camera = CameraFile(
        width=intrinsics.width,
        height=intrinsics.height,
        k=intrinsics.k.tolist(),
        distortion=intrinsics.distortion.tolist(),
        rate_hz=rate_hz,
        stamps_ns=stamps,
    )
    (folder / "camera.json").write_text(camera.model_dump_json(indent=1))
    return len(stamps)


def _read_camera(path: Path) -> CameraFile:
    try:
        return CameraFile.model_validate_json(path.read_text())
    except FileNotFoundError as error:
        raise DeviceError(
            f"expected {path} with width, height, k and rate_hz of the camera, found none"
        ) from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise DeviceError(f"{path} is not what it should be: {error}") from error
