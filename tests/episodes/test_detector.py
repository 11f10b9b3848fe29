import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import EPOCH_NS, FORMAT, blocks, hear, impacts

from tiltbot_ros.episodes.detector import ContactDetector, DetectorSettings
from tiltbot_ros.episodes.envelope import hop_envelope, sliding_max
from tiltbot_ros.errors import AudioError
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat

TIMES = (1.0, 1.6, 2.9, 4.0, 4.4)


@pytest.fixture(scope="module")
def sound():
    return impacts(6.0, TIMES)


def seconds(contacts):
    return [(c.stamp_ns - EPOCH_NS) / 1e9 for c in contacts]


def test_impacts_are_heard_within_10_ms_and_nothing_else(sound):
    assert seconds(hear(sound)) == pytest.approx(TIMES, abs=0.01)


@pytest.mark.parametrize(
    ("rate", "channels", "bits"), [(32000, 4, 16), (44100, 4, 16), (192000, 1, 24), (44100, 3, 24)]
)
def test_other_formats_are_heard_alike(rate, channels, bits):
    audio_format = AudioFormat(sample_rate=rate, channels=channels, bits=bits)
    sound = impacts(3.0, (1.0, 2.0), audio_format=audio_format)
    detector = ContactDetector(DetectorSettings(), audio_format)
    found = [
        c
        for block in blocks(sound, audio_format=audio_format, frames=rate // 50)
        for c in detector.process(block)
    ]
    assert seconds(found) == pytest.approx((1.0, 2.0), abs=0.01)
    assert all(0.02 < c.level <= 0.25 and c.level > c.threshold for c in found)


def test_the_loudest_channel_is_named():
    sound = impacts(2.0, (1.0,))
    quiet = np.where(np.arange(4) == 2, sound, sound // 4).astype(np.int16)
    (contact,) = hear(quiet)
    assert contact.channel == 2
    assert contact.level == pytest.approx(
        np.ptp(quiet[contact.sample - 32 : contact.sample + 32, 2]) / 2 / 32768, rel=0.5
    )


@given(sizes=st.lists(st.integers(0, 5000), min_size=1, max_size=30), start=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_contacts_do_not_depend_on_the_blocks(sound, sizes, start):
    if sum(sizes) == 0:
        sizes = [*sizes, 100]
    whole = ContactDetector(DetectorSettings(), FORMAT)
    expected = whole.process(_block(sound, start, 0, len(sound))) + whole.flush()
    parts = ContactDetector(DetectorSettings(), FORMAT)
    found, at, turn = [], 0, 0
    while at < len(sound):
        size = sizes[turn % len(sizes)]
        found += parts.process(_block(sound, start, at, size))
        at, turn = at + size, turn + 1
    found += parts.flush()
    assert [(c.sample, c.channel, c.level, c.threshold) for c in found] == [
        (c.sample, c.channel, c.level, c.threshold) for c in expected
    ]
    assert np.abs(np.subtract(seconds(found), seconds(expected))).max() < 1e-6


def _block(sound, start, at, size):
    return AudioBlock(
        stamp_ns=EPOCH_NS + at * 10**9 // 44100,
        first_sample=start + at,
        samples=sound[at : at + size],
        xruns=0,
    )


def test_sliding_friction_and_motors_are_no_contacts():
    rng = np.random.default_rng(3)
    n, rate = 44100 * 20, 44100
    t = np.arange(n) / rate
    slide = np.abs(np.sin(2 * np.pi * 0.4 * t)) ** 0.8  # speed of a sliding object
    motor = 0.05 * np.clip(np.sin(2 * np.pi * 0.3 * t), 0, None)
    tones = sum(np.sin(2 * np.pi * f * t + f) for f in (97.0, 430.0, 1290.0))
    sound = rng.normal(0, 0.001, (n, 4))
    sound += 0.03 * slide[:, None] * rng.normal(0, 1, (n, 4)) + (motor * tones)[:, None]
    assert hear((sound * 32768).astype(np.int16)) == []


def test_an_impact_is_heard_while_sliding():
    rng = np.random.default_rng(4)
    sound = impacts(4.0, (2.0,), level=0.3).astype(np.float64)
    sound += 0.01 * 32768 * rng.normal(0, 1, sound.shape)
    assert seconds(hear(sound.astype(np.int16))) == pytest.approx([2.0], abs=0.01)


def test_offset_and_hum_do_not_trigger():
    t = np.arange(44100 * 5) / 44100
    hum = 0.3 * np.sin(2 * np.pi * 50 * t) + 0.2
    assert hear((np.repeat(hum[:, None], 4, 1) * 32767).astype(np.int16)) == []


def test_full_scale_in_both_directions_does_not_overflow():
    samples = np.tile(np.array([-32768, 32767], np.int16), 64).reshape(-1, 1)
    assert hop_envelope(samples, 64).max() == pytest.approx(32767.5)


def test_a_contact_is_reported_soon():
    sound = impacts(3.0, (2.0,))
    detector = ContactDetector(DetectorSettings(), FORMAT)
    for block in blocks(sound, frames=100):
        if detector.process(block):
            heard_s = (block.first_sample + 100) / 44100
            break
    assert 2.0 < heard_s < 2.02


def test_a_hole_loses_only_what_fell_into_it(sound):
    detector = ContactDetector(DetectorSettings(), FORMAT)
    found = []
    for block in blocks(sound):
        if not 2.5 < block.first_sample / 44100 < 3.3:
            found += detector.process(block)
    assert seconds(found) == pytest.approx((1.0, 1.6, 4.0, 4.4), abs=0.01)


@pytest.mark.parametrize("lost", [1, 17, 441, 4410])
def test_the_edge_of_a_hole_is_no_contact(lost):
    t = np.arange(44100 * 4) / 44100
    tone = (8000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16)
    sound = np.repeat(tone[:, None], 4, 1)
    detector = ContactDetector(DetectorSettings(), FORMAT)
    cut = 44100 * 2
    found = detector.process(_block(sound, 0, 0, cut))
    found += detector.process(_block(sound, 0, cut + lost, 44100))
    assert found + detector.flush() == []


def test_a_device_opened_anew_starts_afresh(sound):
    detector = ContactDetector(DetectorSettings(), FORMAT)
    first = detector.process(_block(sound, 0, 0, len(sound)))
    second = detector.process(_block(sound, 0, 0, len(sound)))
    assert [c.sample for c in first] == [c.sample for c in second]


def test_memory_stays_constant(sound):
    detector = ContactDetector(DetectorSettings(), FORMAT)

    def size():
        arrays = [v for v in vars(detector).values() if isinstance(v, np.ndarray)]
        return sum(a.nbytes for a in arrays) + len(detector._stamps)

    sizes = []
    for turn in range(8):
        for block in blocks(sound, first_sample=turn * len(sound)):
            detector.process(block)
        sizes.append(size())
    assert max(sizes[2:]) - min(sizes[2:]) < 64


@pytest.mark.parametrize(
    "samples", [np.zeros((10, 2), np.int16), np.zeros((10, 4), np.int32), np.zeros(40, np.int16)]
)
def test_blocks_of_another_format_are_refused(samples):
    detector = ContactDetector(DetectorSettings(), FORMAT)
    with pytest.raises(AudioError, match="expected"):
        detector.process(AudioBlock(stamp_ns=0, first_sample=0, samples=samples, xruns=0))


@given(st.integers(1, 40), st.integers(1, 7))
def test_sliding_max_is_the_maximum_of_each_stretch(rows, width):
    levels = np.random.default_rng(rows).random((rows + width, 2)).astype(np.float32)
    expected = np.lib.stride_tricks.sliding_window_view(levels, width, axis=0).max(-1)
    assert np.array_equal(sliding_max(levels, width), expected)


def test_sound_is_searched_a_hundred_times_faster_than_it_comes():
    sound = impacts(60.0, (10.0,))
    detector = ContactDetector(DetectorSettings(), FORMAT)
    begin = time.process_time()
    detector.process(_block(sound, 0, 0, len(sound)))
    assert 60.0 / (time.process_time() - begin) > 100
