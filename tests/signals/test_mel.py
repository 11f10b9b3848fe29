"""Mel bands are the triangles that a library has, and a tone is where it belongs."""

import numpy as np
from transformers.audio_utils import mel_filter_bank, mel_to_hertz

from policy_ros.signals.front_end import FrontEnd
from policy_ros.signals.mel import mel_filters
from policy_ros.signals.settings import FrontEndSettings

SETTINGS = FrontEndSettings(transform="log_mel", frequencies=32)


def test_the_triangles_are_the_librarys():
    # The library puts the last bin at half the rate in whole hertz.
    settings = SETTINGS.model_copy(update={"sample_rate_hz": 11_024})
    ours = mel_filters(settings)
    theirs = mel_filter_bank(256, 32, 0.0, 5512.0, 11_024, mel_scale="htk")
    wide = (theirs > 0).sum(0) > 1
    assert wide.sum() > 25
    np.testing.assert_allclose(ours[:, wide], (theirs / theirs.sum(0))[:, wide], atol=1e-5)
    np.testing.assert_allclose(ours.sum(0), 1, atol=1e-6)


def test_no_band_is_empty_however_narrow():
    settings = FrontEndSettings(transform="log_mel", frequencies=200)
    assert (mel_filters(settings).sum(0) > 0.99).all()


def test_a_tone_is_in_the_band_of_its_frequency():
    rate = SETTINGS.sample_rate_hz
    tone = 8000 * np.sin(2 * np.pi * 1000 * np.arange(4 * rate) / rate)
    picture = FrontEnd(SETTINGS).spectrogram(tone.astype(np.int16)[None])
    assert picture.shape == (1, 32, 64)
    highest = 2595 * np.log10(1 + rate / 2 / 700)
    centres = mel_to_hertz(np.linspace(0, highest, 34), "htk")[1:-1]
    assert picture[0, :, 32].argmax() == np.abs(centres - 1000).argmin()
