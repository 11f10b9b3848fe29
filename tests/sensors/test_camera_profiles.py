import pytest

from tiltbot_ros.errors import DeviceError
from tiltbot_ros.sensors.camera_profiles import StreamProfile, choose_profiles


def offers(stream, sizes, rates, *formats):
    return [
        StreamProfile(stream=stream, format=pixel, width=w, height=h, rate_hz=rate)
        for w, h in sizes
        for rate in rates
        for pixel in formats
    ]


# As rs-enumerate-devices lists a D435: 6 Hz only at the larger colour sizes.
USB3 = [
    *offers("color", [(1920, 1080)], [30, 15, 6], "yuyv", "bgr8", "rgb8"),
    *offers("color", [(1280, 720)], [30, 15, 6], "yuyv", "bgr8", "rgb8"),
    *offers("color", [(960, 540), (848, 480), (640, 480)], [60, 30, 15], "bgr8", "rgb8"),
    *offers("depth", [(1280, 720)], [30, 15, 6], "z16"),
    *offers("depth", [(848, 480), (640, 480), (480, 270)], [90, 60, 30, 15, 6], "z16"),
]
USB2 = [
    *offers("color", [(640, 480), (424, 240)], [30, 15, 6], "rgb8"),
    *offers("depth", [(640, 480)], [15, 6], "z16"),
    *offers("depth", [(480, 270)], [30, 15, 6], "z16"),
]


def chosen(offered, width=640, height=480, rate_hz=6.0, depth=True):
    found = choose_profiles(offered, width=width, height=height, rate_hz=rate_hz, depth=depth)
    return str(found.color), found.depth and str(found.depth), found.remark


@pytest.mark.parametrize(
    ("wanted", "color", "depth"),
    [
        ((640, 480, 6.0), "640 x 480 at 15 Hz", "640 x 480 at 15 Hz"),
        ((640, 480, 15.0), "640 x 480 at 15 Hz", "640 x 480 at 15 Hz"),
        ((640, 480, 16.0), "640 x 480 at 30 Hz", "640 x 480 at 30 Hz"),
        ((640, 480, 29.97), "640 x 480 at 30 Hz", "640 x 480 at 30 Hz"),
        ((1280, 720, 5.0), "1280 x 720 at 6 Hz", "1280 x 720 at 6 Hz"),
        ((960, 540, 30.0), "960 x 540 at 30 Hz", "848 x 480 at 30 Hz"),
    ],
)
def test_the_size_is_kept_at_the_slowest_rate_that_suffices(wanted, color, depth):
    assert chosen(USB3, *wanted) == (color, depth, "")


@pytest.mark.parametrize(
    ("wanted", "color"),
    [
        ((640, 360, 30.0), "640 x 480 at 30 Hz"),
        ((800, 600, 6.0), "1280 x 720 at 6 Hz"),
        ((4000, 3000, 6.0), "1920 x 1080 at 6 Hz"),
    ],
)
def test_another_size_is_the_least_that_covers_and_is_said(wanted, color):
    found, _, remark = chosen(USB3, *wanted)
    assert found == color
    assert remark.endswith(f"the nearest is {color}")


def test_the_rate_comes_before_the_size():
    color, depth, remark = chosen(USB3, 1280, 720, 60.0)
    assert (color, depth) == ("960 x 540 at 60 Hz", "848 x 480 at 60 Hz")
    assert remark.startswith("1280 x 720 at 60 Hz is not offered")


def test_a_rate_beyond_all_gives_the_fastest_and_is_said():
    color, _, remark = chosen(USB2, 640, 480, 90.0)
    assert color == "640 x 480 at 30 Hz"
    assert "not offered" in remark


def test_on_usb_2_depth_follows_the_rate_of_the_colour():
    assert chosen(USB2, 640, 480, 30.0)[:2] == ("640 x 480 at 30 Hz", "480 x 270 at 30 Hz")


def test_rgb_is_taken_before_bgr_and_nothing_else_is():
    profiles = choose_profiles(USB3, width=640, height=480, rate_hz=6.0, depth=True)
    assert profiles.color.format == "rgb8"
    with pytest.raises(DeviceError, match=r"offers color yuyv 64 x 48 at 6 Hz"):
        choose_profiles(
            offers("color", [(64, 48)], [6], "yuyv"), width=64, height=48, rate_hz=6.0, depth=False
        )


def test_without_a_common_rate_colour_and_depth_are_refused():
    apart = [
        *offers("color", [(64, 48)], [30], "rgb8"),
        *offers("depth", [(64, 48)], [25], "z16"),
    ]
    with pytest.raises(DeviceError, match="one rate"):
        chosen(apart, 64, 48)
    assert chosen(apart, 64, 48, 30.0, depth=False) == ("64 x 48 at 30 Hz", None, "")


def test_a_camera_that_offers_nothing_is_named():
    with pytest.raises(DeviceError, match="it offers nothing"):
        chosen([])
