"""Levels, frequencies and holes are where they should be."""

import numpy as np
import pytest
import whole_episodes as rig

from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.pictures.sound import Waves, envelope, spectrogram, waves


def test_a_full_scale_sine_is_at_0_decibels_at_its_frequency():
    t = np.arange(44100) / 44100
    tone = np.sin(2 * np.pi * 2000 * t).astype(np.float32)
    heard = Waves(samples=np.stack([tone, tone], 1), start_s=-0.5, sample_rate=44100, missing=0)
    found = spectrogram(heard, lowest_hz=100, highest_hz=11000, rows=240)
    middle = found.decibels[:, len(found.times) // 2]
    assert middle.max() == pytest.approx(0.0, abs=1.5)
    assert found.frequencies[middle.argmax()] == pytest.approx(2000, rel=0.02)
    assert found.times[0] == pytest.approx(-0.5, abs=0.03)


def test_the_envelope_holds_every_peak():
    samples = np.zeros((44100, 1), np.float32)
    samples[12345] = 0.7
    samples[30000] = -0.4
    found = envelope(Waves(samples=samples, start_s=0.0, sample_rate=44100, missing=0), 1000)
    assert len(found.times) <= 1000
    assert found.times[found.high[:, 0].argmax()] == pytest.approx(12345 / 44100, abs=1e-3)
    assert found.low.min() == pytest.approx(-0.4)


def test_a_lost_block_is_a_hole_at_its_place(tmp_path):
    (path,) = rig.write(tmp_path, rig.Wanted(lost_block=100))
    heard = waves(Episode.open(path))
    assert heard.missing == rig.BLOCK
    assert np.flatnonzero(np.isnan(heard.samples[:, 0])).tolist() == list(
        range(100 * rig.BLOCK, 101 * rig.BLOCK)
    )
    found = spectrogram(heard, lowest_hz=100, highest_hz=11000, rows=50)
    hole = np.isnan(found.decibels[0])
    assert 1 <= hole.sum() <= 3
    assert found.times[hole].mean() == pytest.approx(100.5 * rig.BLOCK / 44100 - 2.0, abs=0.01)
    assert np.isnan(envelope(heard, 1400).high).any()
