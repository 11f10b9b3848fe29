import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiltbot_ros.episodes.facts import TiltAction
from tiltbot_ros.episodes.moments import before_and_after, keep_moments
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.errors import EpisodeError

STAMPS = np.array([100, 200, 300, 400, 500], np.int64)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (250, 350, (1, 3)),
        (200, 400, (1, 3)),  # a picture at the very instant shows the tray still, or again, level
        (199, 401, (0, 4)),
        (50, 150, (0, 1)),  # it began before the window: the first there is
        (450, 900, (3, 4)),  # it ends after the window: the last there is
        (None, None, (0, 4)),
        (300, None, (2, 4)),
    ],
)
def test_they_lie_as_close_around_the_tilt_as_the_window_allows(start, end, expected):
    assert before_and_after(STAMPS, tilt_start_ns=start, tilt_end_ns=end) == expected


def test_of_one_picture_it_is_both():
    assert before_and_after(STAMPS[:1], tilt_start_ns=150, tilt_end_ns=160) == (0, 0)


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=30).map(sorted),
    st.integers(-10, 1010),
    st.integers(0, 300),
)
def test_choosing_again_among_the_chosen_gives_the_same_pictures(values, start, length):
    stamps = np.array(values, np.int64)
    tilt = {"tilt_start_ns": start, "tilt_end_ns": start + length}
    chosen = stamps[sorted(set(before_and_after(stamps, **tilt)))]
    again = before_and_after(chosen, **tilt)
    assert chosen[list(again)].tolist() == stamps[list(before_and_after(stamps, **tilt))].tolist()


def test_no_pictures_and_mixed_up_ones_are_refused():
    with pytest.raises(EpisodeError, match="one picture or more"):
        before_and_after(STAMPS[:0], tilt_start_ns=0, tilt_end_ns=1)
    with pytest.raises(EpisodeError, match="ascending"):
        before_and_after(STAMPS[::-1], tilt_start_ns=0, tilt_end_ns=1)


def messages_at(*stamps):
    return tuple(StampedMessage(stamp_ns=stamp, data=b"") for stamp in stamps)


def action(start, end):
    return TiltAction(rotation=(0.1, 0.0, 0.0), ax=0.1, ay=0.0, start_ns=start, end_ns=end)


PICTURES = RecordedTopic(name="/color", type="sensor_msgs/msg/CompressedImage", moments_hz=6.0)
LOCATION = RecordedTopic(name="/seen", type="tiltbot/msg/ObjectLocation", moments_hz=6.0)
POSE = RecordedTopic(name="/pose", type="geometry_msgs/msg/PoseStamped", expected_hz=100.0)


def test_what_is_kept_carries_the_stamps_of_the_two_pictures():
    messages = {
        "/pose": messages_at(100, 101, 102),
        "/seen": messages_at(100, 300, 400),
        "/color": messages_at(100, 200, 300, 400),
    }
    kept = keep_moments(messages, (LOCATION, POSE, PICTURES), action(250, 390))
    stamps = {name: [m.stamp_ns for m in found] for name, found in kept.items()}
    assert stamps == {"/pose": [100, 101, 102], "/seen": [400], "/color": [200, 400]}


def test_without_pictures_nothing_is_left_out():
    messages = {"/pose": messages_at(100, 101), "/seen": messages_at(100, 300, 400), "/color": ()}
    assert keep_moments(messages, (LOCATION, POSE, PICTURES), None) == messages
    everything = {"/pose": messages_at(1, 2), "/color": messages_at(1, 2, 3)}
    all_kept = RecordedTopic(name="/color", type=PICTURES.type, expected_hz=6.0)
    assert keep_moments(everything, (POSE, all_kept), action(0, 1)) == everything
