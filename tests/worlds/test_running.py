import numpy as np
import pytest

from tiltbot_ros.worlds.impacts import PlacedObject, Tray
from tiltbot_ros.worlds.modes import FLOOR
from tiltbot_ros.worlds.noise import generator
from tiltbot_ros.worlds.objects import ObjectCatalogue
from tiltbot_ros.worlds.running import RunningSound
from tiltbot_ros.worlds.sound_settings import SoundSettings

RATE, STRIDE = 44_100, 44
STEPS = 2000


def running(*, seed=1, settings=None, name=None):
    settings = settings or SoundSettings()
    sound = RunningSound(
        settings,
        sample_rate=RATE,
        frames_per_step=STRIDE,
        seed=seed,
        streams=(1, 2, 3),
        rig=generator(settings.tray_seed, 9, 0),
    )
    tray = Tray(settings)
    if name is not None:
        placed = PlacedObject(ObjectCatalogue.load().get(name), settings, generator(seed, 4, 1))
        sound.place(placed, tray.surfaces[FLOOR], placement=1)
    return sound


def rendered(sound, *, friction=0.0, rate=0.0, y=0.0, pieces=1):
    """Return (4, frames) of a constant sliding and turning, told in so many pieces."""
    for steps in np.array_split(np.arange(STEPS), pieces):
        count = len(steps)
        position = np.column_stack([steps * 5e-5, np.full(count, y), np.zeros(count)])
        sound.push(np.full(count, friction), position, np.full(count, rate))
    out = np.zeros((4, (STEPS - 2) * STRIDE), np.float32)
    first = 0
    for part in np.array_split(out, pieces, axis=1):
        sound.add_to(part, first)
        first += part.shape[1]
    return out


@pytest.mark.parametrize("pieces", [3, 40])
def test_pieces_make_the_same_sound(pieces):
    one = rendered(running(name="red_cube"), friction=0.3, rate=0.7)
    other = rendered(running(name="red_cube"), friction=0.3, rate=0.7, pieces=pieces)
    np.testing.assert_array_equal(one, other)


def spectrum(sound):
    power = np.abs(np.fft.rfft(sound, axis=1)) ** 2
    bands = [band.mean(axis=1) for band in np.array_split(power[:, 400:8000], 60, axis=1)]
    return np.log(np.array(bands)).T.ravel()


def test_motors_sound_alike_in_every_recording_of_a_rig():
    one, two = (spectrum(rendered(running(seed=seed), rate=1.0)) for seed in (1, 2))
    other_rig = SoundSettings(tray_seed=2)
    third = spectrum(rendered(running(seed=1, settings=other_rig), rate=1.0))
    assert np.abs(one - two).mean() < 0.5 * np.abs(one - third).mean()


def test_sliding_is_not_equally_loud_everywhere_and_always():
    def spread(**changes):
        steady = {"friction_patch_db": 0.0, "friction_contact_db": 0.0, **changes}
        settings = SoundSettings().model_copy(update=steady)
        sound = rendered(running(settings=settings, name="red_cube"), friction=0.3)
        parts = np.array_split(sound[1].astype(float), 30)
        return np.std([20 * np.log10(part.std()) for part in parts])

    assert spread(friction_patch_db=3.0) > 1.5 * spread() + 0.5
    assert spread(friction_contact_db=5.0) > 1.5 * spread() + 1.0


def test_the_empty_tray_does_not_rub_and_still_motors_are_silent():
    assert not rendered(running(), friction=1.0).any()
