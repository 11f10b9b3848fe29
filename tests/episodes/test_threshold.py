import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiltbot_ros.episodes.threshold import ThresholdDetector, ThresholdSettings
from tiltbot_ros.errors import AudioError
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat

FORMAT = AudioFormat(sample_rate=1000, channels=4, bits=16)
START_NS = 1_700_000_000_000_000_000


def heard(samples, block=97, level=0.1, first=0):
    detector = ThresholdDetector(ThresholdSettings(level=level), FORMAT)
    found = []
    for at in range(0, len(samples), block):
        part = np.ascontiguousarray(samples[at : at + block])
        found += detector.process(
            AudioBlock(
                stamp_ns=START_NS + at * 1_000_000, first_sample=first + at, samples=part, xruns=0
            )
        )
    return found + detector.flush()


def published(samples, *, eps=0.1, half_s=2.0, rate=1000):
    """Return the samples that the released script cuts around, by its rules.

    It truncates products of seconds, which moves a border by a frame now and
    then; here they are whole frames.
    """
    loudness = np.abs(samples / 32768).max(1)
    half = round(half_s * rate)
    last_end = -np.inf
    centres = []
    for index in np.flatnonzero(loudness > eps):
        start, end = index - half, index + half
        if start > last_end:
            centres.append(int(index))
            last_end = end
    return centres


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-4, 0.2), st.integers(50, 5000))
def test_it_cuts_where_the_released_script_cuts_however_the_sound_is_blocked(seed, density, block):
    rng = np.random.default_rng(seed)
    samples = rng.integers(-3000, 3001, (20_000, 4)).astype(np.int16)
    loud = rng.random(samples.shape) < density / 4
    samples[loud] = rng.choice([-32768, -5000, 5000, 32767], loud.sum())
    assert [contact.sample for contact in heard(samples, block)] == published(samples)


def test_a_contact_tells_channel_level_and_time():
    samples = np.zeros((5000, 4), np.int16)
    samples[2500, 1] = 8000
    samples[2500, 2] = -16384
    (contact,) = heard(samples)
    assert contact.channel == 2
    assert contact.level == pytest.approx(0.5)
    assert contact.threshold == pytest.approx(0.1)
    assert contact.stamp_ns == START_NS + 2_500_000_000
    assert contact.detector == ThresholdSettings().digest()


def test_a_device_opened_anew_is_heard_from_its_start():
    detector = ThresholdDetector(ThresholdSettings(), FORMAT)
    loud = np.full((10, 4), 20_000, np.int16)

    def at(first):
        return detector.process(
            AudioBlock(stamp_ns=START_NS, first_sample=first, samples=loud, xruns=0)
        )

    assert [contact.sample for contact in at(50_000)] == [50_000]
    assert at(50_010) == []
    assert [contact.sample for contact in at(0)] == [0]


def test_blocks_of_other_channels_are_refused():
    detector = ThresholdDetector(ThresholdSettings(), FORMAT)
    block = AudioBlock(stamp_ns=0, first_sample=0, samples=np.zeros((10, 2), np.int16), xruns=0)
    with pytest.raises(AudioError, match=r"expected blocks of shape \(frames, 4\)"):
        detector.process(block)
