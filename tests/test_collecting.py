import math

import pytest

from tiltbot_ros.collecting import Collection, CollectSettings, Target
from tiltbot_ros.errors import ConfigError


def collection(episodes: int = 0, minutes: float = 0.0, **settings) -> Collection:
    begun = Collection(Target(episodes=episodes, minutes=minutes), CollectSettings(**settings))
    begun.start(100.0)
    return begun


@pytest.mark.parametrize(("episodes", "minutes"), [(0, 0.0), (3, -1.0), (0, math.nan)])
def test_a_collection_without_a_limit_is_refused(episodes, minutes):
    with pytest.raises(ConfigError, match="episodes or of minutes"):
        collection(episodes, minutes)


def test_only_clean_episodes_count_towards_the_target():
    books = collection(episodes=2)
    for clean in (True, False, False):
        books.on_episode(clean=clean)
    assert books.enough(150.0) == ""
    books.on_episode(clean=True)
    assert books.enough(150.0) == "episodes"
    assert (books.clean, books.flagged) == (2, 2)


def test_time_ends_a_collection_and_the_time_left_is_told():
    books = collection(episodes=10, minutes=2.0)
    assert books.time_left_s(100.0) == 120.0
    for _ in range(5):
        books.on_episode(clean=True)
    assert books.time_left_s(120.0) == pytest.approx(20.0)
    assert books.episodes_per_hour(120.0) == pytest.approx(900.0)
    assert books.enough(220.0) == "minutes"


def test_a_collection_is_given_up_when_tilts_fail_or_nothing_is_heard():
    books = collection(episodes=1, max_failed_tilts=2, max_silent_tilts=3)
    books.on_tilt(success=False)
    assert books.hopeless() == ""
    books.on_tilt(success=False)
    assert "failed" in books.hopeless()
    books.on_tilt(success=True)
    assert "gave no episode" in books.hopeless()
    books.on_episode(clean=False)
    assert books.hopeless() == ""
