import numpy as np
import pytest

from tiltbot_ros.errors import ConfigError, WorldError
from tiltbot_ros.settings import checked
from tiltbot_ros.worlds.pushing import Push, PushSettings, StraightPath, draw_push

SETTINGS = PushSettings()


def drawn(surface, count=300, **changes):
    rng = np.random.default_rng(3)
    settings = SETTINGS.model_copy(update=changes)
    return [
        draw_push(rng, surface, settings, stick_radius_m=0.008, half_side_m=0.3)
        for _ in range(count)
    ]


def blob(centre=(0.05, -0.03), half=(0.08, 0.01)):
    grid = np.stack(np.meshgrid(*(np.linspace(-h, h, 15) for h in half)), axis=-1).reshape(-1, 2)
    return grid + centre


def test_every_line_passes_through_the_object_and_begins_outside():
    surface = blob()
    for push in drawn(surface):
        way = push.end - push.start
        along = way / np.hypot(*way)
        offset = surface - push.start
        across = np.abs(offset @ np.array([-along[1], along[0]]))
        assert across.min() < 1e-9
        gap = (offset @ along).min() - 0.008
        assert SETTINGS.clearance_min_m - 1e-9 <= gap <= SETTINGS.clearance_max_m + 1e-9
        assert np.abs([push.start, push.end]).max() <= 0.3


def test_directions_are_spread_evenly():
    ways = np.array([push.end - push.start for push in drawn(blob(centre=(0, 0)), 2000)])
    angles = np.arctan2(ways[:, 1], ways[:, 0])
    counts, _ = np.histogram(angles, bins=8, range=(-np.pi, np.pi))
    assert counts.min() > 0.7 * counts.mean()


def test_object_at_the_edge_that_nothing_fits_around_is_refused():
    with pytest.raises(WorldError, match="placement_radius_m"):
        drawn(blob(centre=(0.9, 0.9)), 1)


@pytest.mark.parametrize("length", [0.4, 0.02, 0.0])
def test_path_is_straight_and_within_its_bounds(length):
    direction = np.array([0.6, -0.8])
    push = Push(start=np.array([0.1, 0.2]), end=np.array([0.1, 0.2]) + length * direction)
    path = StraightPath(push, speed_m_s=0.4, acceleration_m_s2=5.0)
    times = np.linspace(-0.1, path.duration_s + 0.1, 3001)
    at, velocity = (np.array(values) for values in zip(*map(path.at, times), strict=True))
    np.testing.assert_allclose(at[0], push.start)
    np.testing.assert_allclose(at[-1], push.end, atol=1e-12)
    speed = np.hypot(*velocity.T)
    assert speed.max() <= 0.4 + 1e-12
    assert np.abs((at - push.start) @ np.array([0.8, 0.6])).max() < 1e-12
    step = times[1] - times[0]
    assert np.abs(np.diff(speed)).max() <= 5.0 * step + 1e-9
    np.testing.assert_allclose(np.diff(at, axis=0) / step, velocity[1:], atol=5.0 * step)


def test_ranges_the_wrong_way_round_are_refused():
    with pytest.raises(ConfigError, match="least not above largest"):
        checked(PushSettings, {"travel_min_m": 0.2})
