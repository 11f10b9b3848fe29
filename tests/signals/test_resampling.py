import numpy as np
import pytest
import soxr

from policy_ros.signals.resampling import Resampler
from tiltbot_ros.errors import AudioError


def noise(frames: int, channels: int = 4, *, level: float = 3000.0) -> np.ndarray:
    samples = np.random.default_rng(3).standard_normal((frames, channels)) * level
    return samples.round().astype(np.int16)


def by_library(samples: np.ndarray, source: int, target: int) -> np.ndarray:
    """libsoxr on sound with a second of silence around it, before it is rounded."""
    around = np.zeros((source, samples.shape[1]), np.float32)
    whole = np.concatenate([around, samples.astype(np.float32), around])
    out = soxr.resample(whole, source, target, quality="HQ")
    return out[target : target + round(len(samples) * target / source)].T


@pytest.mark.parametrize(
    ("source", "target", "frames"),
    [
        (44_100, 11_025, 176_400),
        (44_100, 11_025, 7416 * 3 + 1),
        (44_100, 11_025, 30),
        (44_100, 22_050, 20_000),
        (176_400, 11_025, 50_000),
        (48_000, 11_025, 48_000),
        (32_000, 11_025, 32_000),
        (8_000, 11_025, 8_000),
    ],
)
def test_agrees_with_the_library_to_the_rounding_of_16_bits(source, target, frames):
    samples = noise(frames)
    out = Resampler(source, target)(samples)
    expected = by_library(samples, source, target)
    assert out.dtype == np.int16
    assert out.shape == expected.shape
    assert np.abs(out - expected).max() < 0.51


def test_an_instance_gives_the_same_whatever_it_did_before():
    resampler = Resampler(44_100, 11_025)
    short, long = noise(9_000, 2), noise(40_000)
    first = resampler(long)
    resampler(short)
    assert np.array_equal(resampler(long), first)
    assert np.array_equal(resampler(long[:9_000, :2]), Resampler(44_100, 11_025)(long[:9_000, :2]))


def test_loud_sound_is_cut_off_and_does_not_wrap():
    steps = np.where(np.arange(44_100)[:, None] // 400 % 2, 32767, -32768).astype(np.int16)
    out = Resampler(44_100, 11_025)(steps)
    assert out.max() == 32767
    assert out.min() == -32768
    assert (out[0, 150:180] > 0).all()


def test_the_same_rate_leaves_the_samples():
    samples = noise(1000)
    assert np.array_equal(Resampler(11_025, 11_025)(samples), samples.T)


def test_strided_samples_are_taken_as_they_are():
    wide = noise(20_000, 6)
    assert np.array_equal(
        Resampler(44_100, 11_025)(wide[:, 1:5]),
        Resampler(44_100, 11_025)(np.ascontiguousarray(wide[:, 1:5])),
    )


def test_nothing_becomes_nothing():
    assert Resampler(44_100, 11_025)(np.empty((0, 4), np.int16)).shape == (4, 0)


@pytest.mark.parametrize("bad", [np.zeros((10, 4)), np.zeros(10, np.int16), np.zeros((5, 0), "i2")])
def test_other_types_and_shapes_are_refused(bad):
    with pytest.raises(AudioError, match="expected int16"):
        Resampler(44_100, 11_025)(bad)
