import itertools

import numpy as np
import pytest

from tiltbot_ros.arms.tilts import RandomTilts, TiltSettings
from tiltbot_ros.worlds.knocks import Knock, KnockFinder, Touches
from tiltbot_ros.worlds.modes import object_modes, surface_modes
from tiltbot_ros.worlds.noise import BLOCK, ColouredNoise
from tiltbot_ros.worlds.objects import ObjectCatalogue
from tiltbot_ros.worlds.recording import simulate
from tiltbot_ros.worlds.sound import SoundSettings, SoundSynthesizer
from tiltbot_ros.worlds.tray import TrayWorld

RATE, STRIDE = 44_100, 44
SILENT = SoundSettings(ambient_dbfs=-140.0, motor_dbfs=-140.0, friction_level=0.0)


@pytest.fixture(scope="module")
def catalogue():
    return ObjectCatalogue.load()


def struck(spec, knock, *, settings=SILENT, seed=1, frames=30_000):
    """Return the int16 sound (frames, 4) of one knock on an otherwise silent tray."""
    sound = SoundSynthesizer(settings, sample_rate=RATE, frames_per_step=STRIDE, seed=seed)
    sound.place(spec, placement=1)
    steps = frames // STRIDE + 3
    sound.push(np.zeros(steps), np.zeros((steps, 3)), np.zeros(steps))
    sound.reserve(frames)
    peak = sound.strike(knock)
    return sound.render(0, frames), peak


def wall_knock(impulse=0.1, y=0.0, speed=0.5, step=100):
    return Knock(
        step=step,
        surface=0,
        impulse=impulse,
        position=np.array([0.15, y, 0.02]),
        point=np.array([0.02, 0.0, 0.0]),
        speed=speed,
    )


def dbfs(samples):
    return 20 * np.log10(np.sqrt(np.mean((samples / 32767.0) ** 2)))


def test_noise_floor_and_motor_stand_at_their_levels():
    world = TrayWorld(seed=1, sound=SoundSettings(motor_dbfs=-140.0))
    assert dbfs(world.advance(RATE).samples) == pytest.approx(-60.0, abs=0.5)
    world = TrayWorld(seed=1, sound=SoundSettings(ambient_dbfs=-140.0))
    for k in range(60):
        world.command(np.array([0.01 * k, 0.0]))
        last = world.advance(441).samples
    assert dbfs(last) == pytest.approx(-50.0, abs=4.0)
    world.advance(RATE)
    assert np.abs(world.advance(RATE // 10).samples).max() <= 1


def test_channels_of_the_noise_floor_are_independent():
    samples = TrayWorld(seed=1).advance(RATE).samples.astype(float)
    correlation = np.corrcoef(samples.T) - np.eye(4)
    assert np.abs(correlation).max() < 0.03


def test_noise_is_a_function_of_time_alone():
    response = np.ones((4, 64), np.float32)
    one, two = (ColouredNoise(response, seed=3, stream=0, independent=True) for _ in range(2))
    whole = one.read(0, 4 * BLOCK)
    np.testing.assert_array_equal(
        two.read(2 * BLOCK + 17, 100), whole[:, 2 * BLOCK + 17 :][:, :100]
    )
    np.testing.assert_array_equal(two.read(5, 3 * BLOCK), whole[:, 5 : 5 + 3 * BLOCK])


def test_impact_is_loudest_and_first_at_its_wall(catalogue):
    sound, (frame, level) = struck(catalogue.get("steel_wrench"), wall_knock())
    peaks = np.abs(sound.astype(int)).max(axis=0)
    assert peaks.argmax() == 0
    assert peaks[0] > 4 * peaks[2] > 0
    assert peaks[0] / 32767 == pytest.approx(level, rel=0.02)
    assert np.abs(sound[frame, 0]) == pytest.approx(peaks[0], rel=0.02)
    onsets = [int(np.flatnonzero(np.abs(sound[:, c]) > 0.05 * peaks[c])[0]) for c in range(4)]
    assert onsets[0] >= 100 * STRIDE
    assert 8 <= onsets[2] - onsets[0] <= 30


def test_level_is_proportional_to_the_impulse(catalogue):
    spec = catalogue.get("red_cube")
    _, (_, weak) = struck(spec, wall_knock(impulse=0.01))
    _, (_, strong) = struck(spec, wall_knock(impulse=0.1))
    assert strong == pytest.approx(10 * weak, rel=1e-3)


def test_object_is_heard_in_its_own_modes(catalogue):
    spec = catalogue.get("glass_jar")
    calm = SILENT.model_copy(
        update={
            "mode_frequency_jitter": 0.0,
            "placement_frequency_jitter": 0.0,
            "contact_damping": 0.0,
            "floor_coupling": 0.0,
        }
    )
    sound, _ = struck(spec, wall_knock(), settings=calm)
    late = sound[100 * STRIDE + 4000 :, 0].astype(float)
    spectrum = np.abs(np.fft.rfft(late * np.hanning(len(late))))
    loudest = np.fft.rfftfreq(len(late), 1 / RATE)[spectrum.argmax()]
    assert np.abs(object_modes(spec).frequency_hz / loudest - 1).min() < 0.01


def test_no_contact_sounds_like_another(catalogue):
    spec = catalogue.get("red_cube")
    sound = SoundSynthesizer(SILENT, sample_rate=RATE, frames_per_step=STRIDE, seed=1)
    sound.place(spec, placement=1)
    sound.push(np.zeros(1500), np.zeros((1500, 3)), np.zeros(1500))
    sound.reserve(60_000)
    for step in (100, 700):
        sound.strike(wall_knock(step=step))
    both = sound.render(0, 60_000).astype(float)
    first, second = (both[step * STRIDE : step * STRIDE + 20_000, 0] for step in (100, 700))
    similar = np.correlate(first[:8000], second[:8000], "same").max()
    similar /= np.linalg.norm(first[:8000]) * np.linalg.norm(second[:8000])
    assert 0.2 < similar < 0.98


def test_loud_sound_bends_and_never_wraps(catalogue):
    sound, (_, level) = struck(catalogue.get("glass_jar"), wall_knock(impulse=30.0))
    assert level > 5.0
    assert 31_000 < sound.max() <= 32_767
    assert -32_767 <= sound.min() < -31_000
    jumps = np.abs(np.diff(struck(catalogue.get("glass_jar"), wall_knock())[0].astype(int), axis=0))
    assert jumps.max() < 40_000


def test_hard_things_are_brighter_than_soft_ones(catalogue):
    def centroid(name):
        sound, _ = struck(catalogue.get(name), wall_knock())
        spectrum = np.abs(np.fft.rfft(sound[:, 0].astype(float))) ** 2
        return (spectrum * np.fft.rfftfreq(len(sound), 1 / RATE)).sum() / spectrum.sum()

    assert centroid("steel_wrench") > 2 * centroid("061_foam_brick")


def test_sliding_is_heard_and_faster_is_louder():
    settings = SoundSettings(ambient_dbfs=-140.0, motor_dbfs=-140.0, sensitivity=0.0)
    world = TrayWorld(seed=1, sound=settings)
    world.place("ceramic_tile")
    recording = simulate(world, [(0.7, 0.0)])
    track = recording.track
    speed = np.abs(np.gradient(track.object_position[:, 1])) * 100
    level = [
        np.abs(recording.samples[frame : frame + 441].astype(float)).mean()
        for frame in track.frame[:-1]
    ]
    moving = speed[:-1] > 0.1
    assert np.mean(np.array(level)[moving]) > 20 * np.mean(np.array(level)[speed[:-1] < 1e-3])
    assert np.corrcoef(np.array(level)[moving], speed[:-1][moving])[0, 1] > 0.5


def test_strong_hits_are_loud_and_weak_ones_drown():
    levels = {}
    for name in ("042_adjustable_wrench", "026_sponge"):
        world = TrayWorld(seed=2)
        world.place(name)
        recording = simulate(world, itertools.islice(RandomTilts(2, TiltSettings()), 5))
        levels[name] = [c.level for c in recording.contacts if c.wall != "floor"]
    assert 0.2 < max(levels["042_adjustable_wrench"]) < 2.0
    assert np.median(levels["026_sponge"]) < 0.02


def test_cubes_of_another_colour_make_the_very_same_sound():
    def sound(name):
        world = TrayWorld(seed=3)
        world.place(name)
        return simulate(world, [(0.8, 0.3)]).samples

    red = sound("red_cube")
    for name in ("green_cube", "blue_cube", "yellow_cube"):
        np.testing.assert_array_equal(sound(name), red)
    assert (sound("rubber_ball") != red).any()


def test_microphones_are_the_same_in_every_recording(catalogue):
    spread = SILENT.model_copy(update={"microphone_spread_db": 12.0, "microphone_drift_db": 0.0})
    quiet = SILENT.model_copy(update={"microphone_spread_db": 0.0, "microphone_drift_db": 0.0})

    def gains(seed, tray_seed):
        levels = [
            struck(
                catalogue.get("red_cube"),
                wall_knock(impulse=0.02),
                settings=settings.model_copy(update={"tray_seed": tray_seed}),
                seed=seed,
            )[0]
            .astype(float)
            .std(axis=0)
            for settings in (spread, quiet)
        ]
        return 20 * np.log10(levels[0] / levels[1])

    np.testing.assert_allclose(gains(1, 1), gains(2, 1), atol=1.5)
    assert np.abs(gains(1, 1) - gains(1, 2)).max() > 5.0


def test_surface_modes_belong_to_the_specimen_of_the_tray():
    one = surface_modes(0, tray_seed=1).frequency_hz
    np.testing.assert_array_equal(one, surface_modes(0, tray_seed=1).frequency_hz)
    assert (one != surface_modes(0, tray_seed=2).frequency_hz).all()
    assert (one != surface_modes(1, tray_seed=1).frequency_hz).all()


def feed(force, pieces):
    finder = KnockFinder(step_s=1e-3, longest_s=0.0095, mass_kg=0.1, weight_n=0.981)
    steps = len(force)
    forces = np.zeros((steps, 5))
    forces[:, 0], forces[:, 4] = force, 0.981
    found = []
    for part in np.array_split(np.arange(steps), pieces):
        found += finder.feed(
            Touches(
                first_step=int(part[0]),
                force=forces[part],
                position=np.zeros((len(part), 5, 3)),
                point=np.zeros((len(part), 5, 3)),
                approach=np.full((len(part), 5), 0.5),
            )
        )
    return found


def test_a_pulse_is_one_knock_with_its_impulse():
    force = np.zeros(100)
    force[40:48] = 10 * np.sin(np.pi * (np.arange(8) + 0.5) / 8)
    for pieces in (1, 7, 100):
        (knock,) = feed(force, pieces)
        assert knock.step == 40
        assert knock.surface == 0
        assert knock.impulse == pytest.approx(force.sum() * 1e-3, rel=0.05)


def test_leaning_is_no_knock_and_two_pulses_are_two():
    lean = np.minimum(np.arange(300) * 0.002, 0.4)
    assert feed(lean, 3) == []
    double = np.zeros(100)
    double[20:26] = double[40:46] = [2, 6, 9, 8, 5, 1]
    assert [knock.step for knock in feed(double, 4)] == [20, 40]
