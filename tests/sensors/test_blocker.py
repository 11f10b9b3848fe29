import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiltbot_ros.errors import AudioError
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat
from tiltbot_ros.sensors.blocker import AudioBlocker, ExactTimebase

FOUR = AudioFormat(sample_rate=44_100, channels=4, bits=16)
START_NS = 1_700_000_000_000_000_000


def make(
    audio_format: AudioFormat = FOUR, block_frames: int = 441
) -> tuple[AudioBlocker, list[AudioBlock]]:
    blocks: list[AudioBlock] = []
    blocker = AudioBlocker(
        audio_format=audio_format,
        block_frames=block_frames,
        timebase=ExactTimebase(start_ns=START_NS, sample_rate_hz=audio_format.sample_rate),
        sink=blocks.append,
    )
    return blocker, blocks


def ramp(first: int, frames: int, channels: int = 4) -> np.ndarray:
    count = np.arange(first, first + frames)[:, None] * channels + np.arange(channels)
    return (count % 65_536 - 32_768).astype(np.int16)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 1500), max_size=12), st.integers(1, 700))
def test_chunks_of_any_length_become_blocks_of_one_length_without_a_change(chunks, block_frames):
    blocker, blocks = make(block_frames=block_frames)
    for first, frames in zip(np.cumsum([0, *chunks]), chunks, strict=False):
        blocker.push(ramp(int(first), frames))
    total = sum(chunks)
    assert len(blocks) == total // block_frames
    assert [b.first_sample for b in blocks] == list(
        range(0, len(blocks) * block_frames, block_frames)
    )
    if blocks:
        joined = np.concatenate([b.samples for b in blocks])
        assert np.array_equal(joined, ramp(0, len(joined)))
    assert all(b.samples.flags.c_contiguous and b.samples.dtype == np.int16 for b in blocks)


def test_stamps_of_an_exact_source_do_not_drift_in_an_hour():
    base = ExactTimebase(start_ns=START_NS, sample_rate_hz=44_100)
    assert base.stamp_ns(44_100 * 3600) == START_NS + 3_600_000_000_000
    assert base.stamp_ns(1) == START_NS + 22_676


def test_a_hole_moves_first_sample_and_stamp_and_only_drops_the_unfilled_block():
    blocker, blocks = make()
    blocker.push(ramp(0, 500))
    blocker.lose(1000)
    blocker.push(ramp(1500, 441))
    assert [b.first_sample for b in blocks] == [0, 1500]
    assert blocks[1].stamp_ns == START_NS + round(1500 / 44_100 * 1e9)
    assert np.array_equal(blocks[1].samples, ramp(1500, 441))
    assert (blocker.holes, blocker.lost_frames) == (1, 1059)


def test_what_is_lost_before_the_first_block_is_no_hole():
    blocker, blocks = make()
    blocker.lose(44_100)
    blocker.push(ramp(0, 441))
    assert blocks[0].first_sample == 44_100
    assert blocker.holes == 0


def test_a_block_is_not_changed_by_what_comes_after_it():
    blocker, blocks = make()
    blocker.push(ramp(0, 441))
    before = blocks[0].samples.copy()
    blocker.push(ramp(441, 2000))
    assert np.array_equal(blocks[0].samples, before)


def test_every_16_bit_integer_survives_the_way_through_float32():
    blocker, blocks = make(AudioFormat(sample_rate=44_100, channels=1, bits=16), 65_536)
    integers = np.arange(-32_768, 32_768).reshape(-1, 1)
    blocker.push((integers / 32_768).astype(np.float32))
    assert np.array_equal(blocks[0].samples, integers)


def test_every_24_bit_integer_survives_the_way_through_float32():
    blocker, blocks = make(AudioFormat(sample_rate=192_000, channels=1, bits=24), 1 << 20)
    for first in range(-(1 << 23), 1 << 23, 1 << 20):
        integers = np.arange(first, first + (1 << 20), dtype=np.int32).reshape(-1, 1)
        blocker.push((integers / float(1 << 23)).astype(np.float32))
        assert np.array_equal(blocks.pop().samples, integers)


def test_floats_beyond_full_scale_are_clipped_not_wrapped():
    blocker, blocks = make(AudioFormat(sample_rate=8000, channels=1, bits=16), 3)
    blocker.push(np.array([[1.0], [-1.5], [7.0]], np.float32))
    assert blocks[0].samples.ravel().tolist() == [32_767, -32_768, 32_767]


@pytest.mark.parametrize(
    ("samples", "text"),
    [
        (np.zeros((10, 2), np.int16), r"expected samples of shape \(frames, 4\), got \(10, 2\)"),
        (np.zeros(40, np.int16), "expected samples of shape"),
        (np.zeros((10, 4), np.int32), "expected int16 or float32 samples for 16 bits, got int32"),
    ],
)
def test_the_wrong_shape_or_type_is_refused(samples, text):
    blocker, _ = make()
    with pytest.raises(AudioError, match=text):
        blocker.push(samples)
