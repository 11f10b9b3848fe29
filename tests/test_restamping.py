"""Times in raw messages move, and nothing else does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiltbot_ros.episodes.cdr import header_stamp_ns, make_header, make_time, time_ns
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.restamping import restamp

NS = 1_000_000_000
T0 = 1_700_000_000 * NS
_FRAMES = st.text(max_size=12)


def _serialise(msgtype, **fields):
    store = typestore()
    return bytes(store.serialize_cdr(store.types[msgtype](**fields), msgtype))


def _vector(kind, *values):
    return typestore().types[f"geometry_msgs/msg/{kind}"](*values)


def _image(stamp_ns, frame="camera"):
    return _serialise(
        "sensor_msgs/msg/Image",
        header=make_header(stamp_ns, frame),
        height=2,
        width=3,
        encoding="rgb8",
        is_bigendian=0,
        step=9,
        data=np.arange(18, dtype=np.uint8),
    )


def _tilt(start_ns, end_ns):
    return _serialise(
        "tiltbot/msg/Tilt",
        header=make_header(start_ns, "tray_level"),
        rotation=_vector("Vector3", 0.2, 0.1, 0.0),
        ax=0.5,
        ay=0.25,
        start=make_time(start_ns),
        end=make_time(end_ns),
    )


@given(
    stamp_ns=st.integers(1, 2_000_000_000 * NS),
    offset_ns=st.integers(-1000 * NS, 1000 * NS),
    frame=_FRAMES,
)
def test_a_header_moves_by_the_offset_and_the_rest_stays(stamp_ns, offset_ns, frame):
    if stamp_ns + offset_ns < 0:
        return
    message = _image(stamp_ns, frame)
    moved = restamp("sensor_msgs/msg/Image", message, offset_ns)
    assert header_stamp_ns(moved) == stamp_ns + offset_ns
    assert moved[:4] + moved[12:] == message[:4] + message[12:]


def test_moving_forth_and_back_gives_the_same_bytes():
    for msgtype, message in (
        ("sensor_msgs/msg/Image", _image(T0)),
        ("tiltbot/msg/Tilt", _tilt(T0, T0 + 3 * NS)),
    ):
        moved = restamp(msgtype, message, 12_345_678_901)
        assert moved != message
        assert restamp(msgtype, moved, -12_345_678_901) == message


def test_start_and_end_of_a_tilt_move_with_its_header():
    moved = typestore().deserialize_cdr(
        restamp("tiltbot/msg/Tilt", _tilt(T0, T0 + 3 * NS), 7 * NS), "tiltbot/msg/Tilt"
    )
    assert time_ns(moved.header.stamp) == T0 + 7 * NS
    assert time_ns(moved.start) == T0 + 7 * NS
    assert time_ns(moved.end) == T0 + 10 * NS
    assert (moved.rotation.x, moved.rotation.y, moved.ax, moved.ay) == (0.2, 0.1, 0.5, 0.25)


def test_headers_within_an_array_move():
    transforms = [
        typestore().types["geometry_msgs/msg/TransformStamped"](
            header=make_header(T0 + i, "world"),
            child_frame_id=f"frame_{i}",
            transform=_vector(
                "Transform", _vector("Vector3", 0, 0, i), _vector("Quaternion", 0, 0, 0, 1)
            ),
        )
        for i in range(3)
    ]
    message = _serialise("tf2_msgs/msg/TFMessage", transforms=transforms)
    moved = typestore().deserialize_cdr(
        restamp("tf2_msgs/msg/TFMessage", message, NS), "tf2_msgs/msg/TFMessage"
    )
    assert [time_ns(t.header.stamp) for t in moved.transforms] == [T0 + NS + i for i in range(3)]


def test_a_time_of_zero_is_not_set_and_stays():
    unset = _image(0)
    assert restamp("sensor_msgs/msg/Image", unset, NS) == unset
    half_set = _tilt(T0, 0)
    moved = typestore().deserialize_cdr(
        restamp("tiltbot/msg/Tilt", half_set, NS), "tiltbot/msg/Tilt"
    )
    assert time_ns(moved.start) == T0 + NS
    assert time_ns(moved.end) == 0


def test_a_message_without_times_is_left_alone():
    text = _serialise("std_msgs/msg/String", data="hello")
    assert restamp("std_msgs/msg/String", text, NS) is text


@pytest.mark.parametrize(
    ("msgtype", "message", "word"),
    [
        ("sensor_msgs/msg/Image", b"\x00\x01\x00\x00", "header"),
        ("tiltbot/msg/Tilt", _tilt(T0, T0)[:-9], "whole"),
        ("nothing/msg/Known", b"\x00\x01\x00\x00", "type"),
    ],
)
def test_what_is_no_such_message_is_refused(msgtype, message, word):
    with pytest.raises(EpisodeError, match=word):
        restamp(msgtype, message, NS)


def test_a_time_outside_the_field_is_refused():
    with pytest.raises(EpisodeError, match="1970 to 2038"):
        restamp("sensor_msgs/msg/Image", _image(T0), -2 * T0)


def test_big_endian_messages_stay_big_endian():
    store = typestore()
    image = store.deserialize_cdr(_image(T0), "sensor_msgs/msg/Image")
    message = bytes(store.serialize_cdr(image, "sensor_msgs/msg/Image", little_endian=False))
    moved = restamp("sensor_msgs/msg/Image", message, NS)
    assert header_stamp_ns(moved) == T0 + NS
    assert moved[:4] + moved[12:] == message[:4] + message[12:]
