import numpy as np
import pytest

from tiltbot_ros.worlds.impacts import PlacedObject, Tray
from tiltbot_ros.worlds.knocks import Knock
from tiltbot_ros.worlds.noise import generator
from tiltbot_ros.worlds.objects import ObjectCatalogue
from tiltbot_ros.worlds.sound_settings import SoundSettings

EXACT = {
    name: 0.0
    for name in SoundSettings.model_fields
    if name.endswith(("_jitter", "_spread_db")) or name == "temperature_drift"
}


def knock(*, point=(0.02, 0.0, 0.0), y=0.0, speed=0.5, impulse=0.1):
    return Knock(
        step=0,
        surface=0,
        impulse=impulse,
        position=np.array([0.15, y, 0.02]),
        point=np.array(point),
        speed=speed,
    )


def rung(name, knocks, *, seed=1, **changes):
    """Return what each knock rings, with the variation that is not in `changes` left out."""
    settings = SoundSettings().model_copy(update={**EXACT, **changes})
    placed = PlacedObject(ObjectCatalogue.load().get(name), settings, generator(seed, 0, 0))
    tray = Tray(settings)
    return [
        tray.strike(placed, one, generator(seed, 1, number), warmth=0.0)
        for number, one in enumerate(knocks)
    ]


def test_without_variation_a_knock_sounds_as_the_last_one():
    first, second = rung("red_cube", [knock(), knock()])
    np.testing.assert_array_equal(first.gains, second.gains)
    np.testing.assert_array_equal(first.frequency_hz, second.frequency_hz)
    np.testing.assert_array_equal(first.decay_s, second.decay_s)


def test_where_an_object_is_hit_decides_which_modes_ring():
    one, other = rung("red_cube", [knock(), knock(point=(0.005, 0.015, -0.01))])
    ratio = np.abs(other.gains[0, :8] / one.gains[0, :8])
    assert ratio.max() > 2 * ratio.min()
    np.testing.assert_allclose(other.gains[:, 8:], one.gains[:, 8:])


def test_a_fast_hit_is_brighter_than_a_slow_one():
    slow, fast = rung("red_cube", [knock(speed=0.05), knock(speed=1.5)])

    def centroid(ringing):
        weight = np.abs(ringing.gains[0])
        return (weight * ringing.frequency_hz).sum() / weight.sum()

    assert centroid(fast) > 1.05 * centroid(slow)


@pytest.mark.parametrize(
    ("change", "field", "modes"),
    [
        ({"mode_frequency_jitter": 0.03}, "frequency_hz", slice(None)),
        ({"damping_jitter": 0.7}, "decay_s", slice(8)),
        ({"pulse_jitter": 0.5}, "gains", slice(None)),
        ({"mode_gain_jitter": 0.6}, "gains", slice(None)),
        ({"coupling_jitter": 0.6}, "gains", slice(None)),
        ({"contact_gain_jitter": 0.5}, "gains", slice(None)),
        ({"path_spread_db": 5.6}, "gains", slice(None)),
    ],
)
def test_each_variation_changes_what_it_says_from_knock_to_knock(change, field, modes):
    first, second = rung("red_cube", [knock(), knock()], **change)
    for name in ("frequency_hz", "decay_s", "gains"):
        one, two = getattr(first, name), getattr(second, name)
        if name == field:
            assert (np.abs(one[..., modes] - two[..., modes]) > 0).all()
        else:
            np.testing.assert_array_equal(one, two)


def test_paths_differ_as_in_a_diffuse_field_but_not_beside_a_microphone():
    many = [knock() for _ in range(300)]
    gains = np.array([ringing.gains for ringing in rung("red_cube", many, path_spread_db=5.6)])
    decibels = 20 * np.log10(np.abs(gains)).std(axis=0)
    assert decibels[2].mean() == pytest.approx(5.6 * (1 - 0.04 / 0.34), rel=0.1)
    assert decibels[0].mean() < 2.0


def test_an_object_rings_shorter_on_the_tray_than_by_itself():
    (free,) = rung("glass_jar", [knock()], contact_damping=0.0)
    (resting,) = rung("glass_jar", [knock()], contact_damping=60.0)
    np.testing.assert_allclose(resting.decay_s[:8] - free.decay_s[:8], 60.0)
    np.testing.assert_array_equal(resting.decay_s[8:], free.decay_s[8:])
