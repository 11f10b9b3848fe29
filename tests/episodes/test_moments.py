import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiltbot_ros.episodes.moments import before_and_after
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
