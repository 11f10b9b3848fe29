import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.episodes.segmenter import Segmenter, SegmenterSettings

S = 1_000_000_000


def contact(t_s: float, level: float = 0.1) -> HeardContact:
    return HeardContact(
        sample=0, stamp_ns=round(t_s * S), channel=0, level=level, threshold=0.01, detector=""
    )


def cut(policy: str, *contacts: HeardContact) -> tuple[Segmenter, list[tuple[float, int]]]:
    segmenter = Segmenter(SegmenterSettings(policy=policy))
    windows = []
    for one in contacts:
        windows += segmenter.advance(one.stamp_ns)
        segmenter.add(one)
    windows += segmenter.advance(10**18)
    return segmenter, [(w.contact.stamp_ns / S, w.suppressed) for w in windows]


def test_first_lets_the_earlier_contact_win():
    segmenter, windows = cut("first", contact(10), contact(11, 0.9), contact(13.9), contact(14.0))
    assert windows == [(10.0, 1), (14.0, 0)]
    assert segmenter.suppressed == 2


def test_strongest_takes_the_loudest_of_the_contest():
    _, windows = cut(
        "strongest", contact(10), contact(11, 0.9), contact(11.5, 0.5), contact(13), contact(15)
    )
    assert windows == [(11.0, 3), (15.0, 0)]


def test_all_gives_every_contact_its_window():
    segmenter, windows = cut("all", contact(10), contact(11), contact(11.5))
    assert windows == [(10.0, 0), (11.0, 0), (11.5, 0)]
    assert segmenter.suppressed == 0


@given(
    times=st.lists(st.integers(0, 60_000), min_size=1, max_size=60, unique=True).map(sorted),
    levels=st.lists(st.floats(0.01, 1), min_size=60, max_size=60),
    policy=st.sampled_from(["first", "strongest"]),
)
def test_windows_never_overlap_and_every_contact_is_accounted_for(times, levels, policy):
    contacts = [contact(t / 1000, level) for t, level in zip(times, levels, strict=False)]
    segmenter, windows = cut(policy, *contacts)
    centres = [t for t, _ in windows]
    assert all(b - a >= 4 for a, b in itertools.pairwise(centres))
    assert len(windows) + segmenter.suppressed == len(times)


def test_a_window_comes_only_when_the_watermark_has_passed_its_end():
    segmenter = Segmenter(SegmenterSettings())
    segmenter.add(contact(10))
    assert segmenter.advance(12 * S) == []
    (window,) = segmenter.advance(12 * S + 1)
    assert (window.start_ns, window.end_ns) == (8 * S, 12 * S)


def test_reset_returns_what_is_lost_and_starts_anew():
    segmenter = Segmenter(SegmenterSettings())
    segmenter.add(contact(10))
    assert len(segmenter.reset()) == 1
    segmenter.add(contact(5))
    assert len(segmenter.open) == 1


def test_an_unknown_policy_is_refused():
    with pytest.raises(ValueError, match="strongest"):
        SegmenterSettings(policy="loudest")
