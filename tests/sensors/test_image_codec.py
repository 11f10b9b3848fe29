import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.sensors.image_codec import COLOR_FORMAT, DEPTH_FORMAT, pack, unpack

RNG = np.random.default_rng(0)
COLOR = cv2.GaussianBlur(RNG.integers(0, 255, (48, 64, 3), np.uint8), (9, 9), 3)
DEPTH = (440 + np.arange(64) + RNG.integers(0, 3, (48, 64))).astype(np.uint16)


def bytes_of(data):
    return np.frombuffer(data, np.uint8)


def packed(**changes):
    options = {"jpeg_quality": 90, "png_level": 4, **changes}
    return pack(COLOR, DEPTH, **options)


def test_depth_comes_back_to_the_bit_and_colour_as_jpeg_lets_it():
    images = packed()
    depth, encoding = unpack(DEPTH_FORMAT, bytes_of(images.depth))
    assert encoding == "16UC1"
    np.testing.assert_array_equal(depth, DEPTH)
    color, encoding = unpack(COLOR_FORMAT, bytes_of(images.color))
    assert encoding == "rgb8"
    # Red and blue are not mixed up.
    assert np.abs(color.astype(int) - COLOR).mean() < 3
    assert np.abs(color[..., ::-1].astype(int) - COLOR).mean() > 6


def test_quality_and_level_are_those_that_were_asked_for():
    assert len(packed(jpeg_quality=30).color) < len(packed(jpeg_quality=95).color)
    assert len(packed(png_level=9).depth) < len(packed(png_level=0).depth)
    assert pack(COLOR, None, jpeg_quality=90, png_level=1).depth is None


def test_what_other_cameras_send_is_understood():
    bgr = cv2.imencode(".png", COLOR[..., ::-1])[1]
    color, encoding = unpack("rgb8; png compressed bgr8", bgr)
    assert encoding == "rgb8"
    np.testing.assert_array_equal(color, COLOR)
    pixels, encoding = unpack("bgr8; png compressed bgr8", bgr)
    assert encoding == "bgr8"
    np.testing.assert_array_equal(pixels, COLOR[..., ::-1])
    assert unpack("jpeg", cv2.imencode(".jpg", COLOR)[1])[1] == "rgb8"
    assert unpack("jpeg", cv2.imencode(".jpg", COLOR[..., 0])[1])[1] == "mono8"
    assert unpack("mono8; jpeg compressed mono8", cv2.imencode(".jpg", COLOR[..., 0])[1])[
        0
    ].shape == (48, 64)


@pytest.mark.parametrize(
    ("image_format", "data"),
    [
        ("32FC1; compressedDepth png", packed().depth),
        ("16UC1; compressedDepth rvl", packed().depth),
        (COLOR_FORMAT, b""),
        (COLOR_FORMAT, b"no picture"),
        (DEPTH_FORMAT, packed().depth[:12]),
    ],
)
def test_other_formats_and_other_bytes_are_refused(image_format, data):
    with pytest.raises(EpisodeError, match="expected"):
        unpack(image_format, bytes_of(data))


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 500), flip=st.integers(0, 400), value=st.integers(0, 255))
def test_damaged_pictures_are_read_or_refused(cut, flip, value):
    for image_format, data in ((COLOR_FORMAT, packed().color), (DEPTH_FORMAT, packed().depth)):
        damaged = bytearray(data)
        damaged[flip % len(damaged)] = value
        try:
            unpack(image_format, bytes_of(bytes(damaged[: len(damaged) - cut])))
        except EpisodeError:
            continue
