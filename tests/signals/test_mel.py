"""Mel bands follow librosa's triangles, and a tone is where it belongs."""

import librosa
import numpy as np

from policy_ros.signals.front_end import FrontEnd
from policy_ros.signals.mel import mel_filters
from policy_ros.signals.settings import FrontEndSettings

SETTINGS = FrontEndSettings(transform="log_mel", frequencies=32)


def test_the_triangles_are_librosas():
    ours = mel_filters(SETTINGS)
    theirs = librosa.filters.mel(
        sr=SETTINGS.sample_rate_hz, n_fft=SETTINGS.window, n_mels=32, htk=True, norm=1
    ).T
    wide = (theirs > 0).sum(0) > 1
    assert wide.sum() > 25
    np.testing.assert_allclose(ours[:, wide], theirs[:, wide], atol=1e-5)
    np.testing.assert_allclose(ours.sum(0), 1, atol=1e-6)


def test_no_band_is_empty_however_narrow():
    settings = FrontEndSettings(transform="log_mel", frequencies=200)
    assert (mel_filters(settings).sum(0) > 0.99).all()


def test_a_tone_is_in_the_band_of_its_frequency():
    rate = SETTINGS.sample_rate_hz
    tone = 8000 * np.sin(2 * np.pi * 1000 * np.arange(4 * rate) / rate)
    picture = FrontEnd(SETTINGS).spectrogram(tone.astype(np.int16)[None])
    assert picture.shape == (1, 32, 64)
    centres = librosa.mel_frequencies(34, fmin=0, fmax=rate / 2, htk=True)[1:-1]
    assert picture[0, :, 32].argmax() == np.abs(centres - 1000).argmin()
