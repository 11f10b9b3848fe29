"""Raw images from compressed ones and back, as serialised messages."""

import sys
from typing import Any

import numpy as np

from tiltbot_ros.episodes.images import pixels_of
from tiltbot_ros.episodes.typestore import COMPRESSED_TYPE, IMAGE_TYPE, typestore
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.sensors.cameras import CameraSettings
from tiltbot_ros.topics import COMPRESSED, DEPTH_COMPRESSED, Topic

_OTHER = {
    **{raw.name: packed for raw, packed in COMPRESSED.items()},
    **{packed.name: raw for raw, packed in COMPRESSED.items()},
}


def other_form(topic: Topic) -> Topic | None:
    """Return the topic of the same images in their other form, None for other topics."""
    other = _OTHER.get(topic.name)
    if other is None or topic.type not in (IMAGE_TYPE, COMPRESSED_TYPE):
        return None
    return other


def to_other_form(topic: Topic, data: bytes, *, settings: CameraSettings | None = None) -> bytes:
    """Return a serialised image in its other form.

    Args:
        topic: that `data` belongs to; one that has another form.
        data: the CDR bytes of an Image or a CompressedImage.
        settings: how well images are compressed (default: as a rig's camera does).

    Raises:
        EpisodeError: the bytes are no such image, or have an encoding that has no other form.
    """
    try:
        message: Any = typestore().deserialize_cdr(data, topic.type)
        pixels, encoding = pixels_of(message, topic.type)
    except EpisodeError:
        raise
    except Exception as error:  # the parser of CDR raises anything on corrupt bytes
        raise EpisodeError(
            f"expected an image on '{topic.name}', got {len(data)} other bytes: {error}"
        ) from error
    header = message.header
    if topic.type == COMPRESSED_TYPE:
        return _raw(header, pixels, encoding)
    return _packed(topic, header, pixels, encoding, settings or CameraSettings())


def _raw(header: Any, pixels: Any, encoding: str) -> bytes:
    message = typestore().types[IMAGE_TYPE](
        header=header,
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=int(sys.byteorder == "big"),
        step=pixels.strides[0],
        data=np.ascontiguousarray(pixels).view(np.uint8).reshape(-1),
    )
    return bytes(typestore().serialize_cdr(message, IMAGE_TYPE))


def _packed(
    topic: Topic, header: Any, pixels: Any, encoding: str, settings: CameraSettings
) -> bytes:
    # OpenCV takes a while to import; who compresses nothing must not wait for it.
    from tiltbot_ros.sensors import image_codec  # noqa: PLC0415

    other = other_form(topic)
    if other == DEPTH_COMPRESSED and encoding in ("16UC1", "mono16"):
        packed = image_codec.pack_depth(pixels, png_level=settings.png_level)
        image_format = image_codec.DEPTH_FORMAT
    elif other != DEPTH_COMPRESSED and encoding == "rgb8":
        packed = image_codec.pack_color(pixels, jpeg_quality=settings.jpeg_quality)
        image_format = image_codec.COLOR_FORMAT
    else:
        raise EpisodeError(
            f"expected rgb8 or 16UC1 on '{topic.name}' to compress it, got {encoding}"
        )
    message = typestore().types[COMPRESSED_TYPE](
        header=header, format=image_format, data=np.frombuffer(packed, np.uint8)
    )
    return bytes(typestore().serialize_cdr(message, COMPRESSED_TYPE))
