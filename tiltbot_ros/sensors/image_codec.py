"""Compressed pictures as ROS 2's image_transport defines them: JPEG for colour, PNG for depth.

Colour is `sensor_msgs/CompressedImage` with a `format` such as
"rgb8; jpeg compressed bgr8"; depth has "16UC1; compressedDepth png" and twelve
bytes before its PNG, which only matter to quantised floats
(compressed_image_transport and compressed_depth_image_transport of
https://github.com/ros-perception/image_transport_plugins).
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tiltbot_ros.errors import EpisodeError

COLOR_FORMAT = "rgb8; jpeg compressed bgr8"
DEPTH_FORMAT = "16UC1; compressedDepth png"

_DEPTH_HEADER = bytes(12)
"""Format 0 and two parameters of a quantisation that 16 bits do without."""

_ENCODINGS = {"rgb8", "bgr8", "mono8", "mono16", "16UC1"}


@dataclass(frozen=True, kw_only=True, slots=True)
class PackedImages:
    """A frame, compressed.

    Attributes:
        color: the data of a `COLOR_FORMAT` message.
        depth: the data of a `DEPTH_FORMAT` message; None without depth.
    """

    color: bytes
    depth: bytes | None


def pack(
    color: npt.NDArray[np.uint8],
    depth: npt.NDArray[np.uint16] | None,
    *,
    jpeg_quality: int,
    png_level: int,
) -> PackedImages:
    """Compress a frame.

    Args:
        color: (height, width, 3) red, green, blue.
        depth: (height, width) [mm]; it loses nothing.
        jpeg_quality: 1 .. 100.
        png_level: 0 .. 9, larger is smaller and slower.
    """
    return PackedImages(
        color=pack_color(color, jpeg_quality=jpeg_quality),
        depth=None if depth is None else pack_depth(depth, png_level=png_level),
    )


def pack_color(color: npt.NDArray[np.uint8], *, jpeg_quality: int) -> bytes:
    """Return the data of a `COLOR_FORMAT` message."""
    bgr = cv2.cvtColor(color, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])[1])


def pack_depth(depth: npt.NDArray[np.uint16], *, png_level: int) -> bytes:
    """Return the data of a `DEPTH_FORMAT` message."""
    png = cv2.imencode(".png", depth, [cv2.IMWRITE_PNG_COMPRESSION, png_level])[1]
    return _DEPTH_HEADER + bytes(png)


def unpack(image_format: str, data: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[Any], str]:
    """Return the pixels of a compressed image and their encoding, as in sensor_msgs/Image.

    Args:
        image_format: of the CompressedImage. One that names no encoding, such
            as plain "jpeg", gives `rgb8`, or `mono8` for a picture in greys.
        data: of the CompressedImage, one dimension.

    Raises:
        EpisodeError: it is another format, or the bytes are no picture.
    """
    encoding, _, way = (part.strip() for part in image_format.partition(";"))
    if "compressedDepth" in way:
        if encoding not in ("16UC1", "mono16") or "rvl" in way:
            raise EpisodeError(
                f"expected compressed depth as {DEPTH_FORMAT!r}, got {image_format!r}"
            )
        data = data[len(_DEPTH_HEADER) :]
    pixels = _decode(data, image_format)
    if pixels.ndim == 2:
        wide = pixels.dtype == np.uint16
        return pixels, encoding if encoding in _ENCODINGS else "16UC1" if wide else "mono8"
    if encoding == "bgr8":
        return pixels, encoding
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)), "rgb8"


def _decode(data: npt.NDArray[np.uint8], image_format: str) -> npt.NDArray[Any]:
    try:
        pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    except cv2.error as error:
        raise EpisodeError(f"expected a picture of {image_format!r}, got {error}") from error
    if pixels is None:
        raise EpisodeError(f"expected a picture of {image_format!r}, got {len(data)} other bytes")
    if (pixels.ndim == 3 and pixels.shape[2] != 3) or pixels.dtype not in (np.uint8, np.uint16):
        raise EpisodeError(
            f"expected a picture of one or three channels of 8 or 16 bits, got {pixels.dtype} "
            f"{pixels.shape}"
        )
    return np.asarray(pixels)
