import cv2
import numpy as np
import pytest
import scipy.fft
import scipy.signal

from policy_ros.signals.front_end import FrontEnd
from policy_ros.signals.settings import FrontEndSettings
from policy_ros.signals.transforms import LogStft
from tiltbot_ros.errors import AudioError, ConfigError
from tiltbot_ros.settings import checked


def knocks(frames: int = 44_100, channels: int = 4) -> np.ndarray:
    """Return decaying knocks over noise, (channels, frames) int16."""
    rng = np.random.default_rng(11)
    sound = rng.standard_normal((channels, frames)) * 40
    time = np.arange(2000) / 11_025
    for channel in range(channels):
        for start in rng.integers(0, frames - 2000, 5):
            pitch = rng.uniform(200, 4000)
            knock = np.exp(-time * 40) * np.sin(2 * np.pi * pitch * time)
            sound[channel, start : start + 2000] += 9000 * knock
    return sound.round().astype(np.int16)


def by_scipy(audio: np.ndarray, window: int = 510, hop: int = 128) -> np.ndarray:
    """Return the magnitude of SciPy's STFT, which is divided by the window's sum."""
    sound = audio.astype(np.float64) / 32768 * 8
    _, _, transform = scipy.signal.stft(
        sound, window="hann", nperseg=window, noverlap=window - hop, padded=False
    )
    return np.abs(transform) * scipy.signal.get_window("hann", window).sum()


def by_definition(audio: np.ndarray) -> np.ndarray:
    sound = np.pad(audio.astype(np.float64) / 32768 * 8, ((0, 0), (255, 255)))
    frames = np.lib.stride_tricks.sliding_window_view(sound, 510, axis=1)[:, ::128]
    window = scipy.signal.get_window("hann", 510)
    return np.abs(scipy.fft.rfft(frames * window)).transpose(0, 2, 1)


def shrunk(pictures: np.ndarray) -> np.ndarray:
    """Return the mean of each pixel of 64 x 64, by its definition."""

    def weights(size: int) -> np.ndarray:
        edges = np.arange(65) * size / 64
        cells = np.arange(size)
        overlap = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
        return np.maximum(overlap, 0) * 64 / size

    rows, columns = weights(pictures.shape[1]), weights(pictures.shape[2])
    return rows @ pictures @ columns.T


@pytest.mark.parametrize("reference", [by_scipy, by_definition])
def test_the_full_picture_is_the_librarys(reference):
    audio = knocks()
    expected = np.clip(np.log(reference(audio) + 1e-20), -5, 5)
    found = LogStft(FrontEndSettings()).full(audio)
    assert found.shape == (4, 256, 345)
    assert np.abs(found - expected).max() < 2e-3


@pytest.mark.parametrize("reference", [by_scipy, by_definition])
def test_a_pixel_is_the_logarithm_of_the_mean_magnitude_over_its_area(reference):
    audio = knocks()
    expected = np.clip(np.log(shrunk(reference(audio))), -5, 5)
    found = FrontEnd(FrontEndSettings()).spectrogram(audio)
    assert found.shape == (4, 64, 64)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 1e-4


def test_the_logarithm_can_come_first():
    audio = knocks()
    expected = shrunk(np.clip(np.log(by_scipy(audio)), -5, 5))
    found = FrontEnd(FrontEndSettings(resize="logarithm")).spectrogram(audio)
    assert np.abs(found - expected).max() < 1e-3


def test_frequency_goes_down_the_rows_and_time_along_the_columns():
    time = np.arange(44_100) / 11_025
    tone = 8000 * np.sin(2 * np.pi * 1000 * time) * (time > 3)
    picture = FrontEnd(FrontEndSettings()).spectrogram(tone.astype(np.int16)[None])[0]
    row, column = np.unravel_index(picture.argmax(), picture.shape)
    assert row == int(1000 / (11_025 / 510) / 4)
    assert column > 48


def test_silence_is_at_the_floor_and_full_scale_within_the_ceiling():
    front_end = FrontEnd(FrontEndSettings())
    assert (front_end.spectrogram(np.zeros((2, 44_100), np.int16)) == -5).all()
    loud = np.random.default_rng(0).integers(-32768, 32767, (2, 44_100)).astype(np.int16)
    assert front_end.spectrogram(loud).max() <= 5


def test_other_sizes_and_windows_follow_their_settings():
    settings = FrontEndSettings(window=400, hop=160, frequencies=50, times=80)
    audio = knocks(16_000, 2)
    found = FrontEnd(settings).spectrogram(audio)
    assert found.shape == (2, 50, 80)
    magnitude = by_scipy(audio, 400, 160)
    expected = np.stack([cv2.resize(m, (80, 50), interpolation=cv2.INTER_AREA) for m in magnitude])
    assert np.abs(found - np.clip(np.log(expected), -5, 5)).max() < 1e-3


def test_what_is_seen_does_not_depend_on_what_was_seen_before():
    front_end = FrontEnd(FrontEndSettings())
    audio = knocks()
    first = front_end.spectrogram(audio)
    front_end.spectrogram(knocks(9_000, 1))
    assert np.array_equal(front_end.spectrogram(audio), first)
    assert np.array_equal(front_end.spectrogram(audio[2:3])[0], first[2])


def test_sound_at_44100_hz_comes_through_both_steps():
    front_end = FrontEnd(FrontEndSettings())
    audio = front_end.resample(np.ascontiguousarray(knocks(176_400).T), 44_100)
    assert audio.shape == (4, 44_100)
    assert front_end.spectrogram(audio).std() > 0.3


def test_an_unknown_transform_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match="log_stft"):
        FrontEnd(FrontEndSettings(transform="wavelet"))


@pytest.mark.parametrize(
    "values", [{"window": 511}, {"floor": 5.0, "ceiling": -5.0}, {"frequencies": 300}]
)
def test_settings_that_do_not_fit_are_refused(values):
    with pytest.raises(ConfigError, match="expected"):
        checked(FrontEndSettings, values)


@pytest.mark.parametrize("bad", [np.zeros((4, 100)), np.zeros(100, "i2"), np.zeros((4, 0), "i2")])
def test_sound_of_another_shape_is_refused(bad):
    with pytest.raises(AudioError, match="expected int16"):
        FrontEnd(FrontEndSettings()).spectrogram(bad)
