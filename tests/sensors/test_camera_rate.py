import numpy as np
import pytest

from tiltbot_ros.sensors.camera_rate import Decimator

NS = 1_000_000_000


def kept(stamps_ns, rate_hz, stream_hz):
    decimator = Decimator(rate_hz=rate_hz, stream_hz=stream_hz)
    return np.array([stamp for stamp in stamps_ns if decimator.wants(int(stamp))])


def stream(rate_hz, seconds, *, start_ns=1_700_000_000 * NS):
    return start_ns + (np.arange(round(rate_hz * seconds)) * NS / rate_hz).astype(np.int64)


@pytest.mark.parametrize(("stream_hz", "rate_hz"), [(30, 6), (30, 15), (60, 30), (90, 6)])
def test_a_whole_fraction_keeps_every_nth_frame(stream_hz, rate_hz):
    stamps = stream(stream_hz, 10)
    assert np.array_equal(kept(stamps, rate_hz, stream_hz), stamps[:: stream_hz // rate_hz])


@pytest.mark.parametrize(("stream_hz", "rate_hz"), [(15, 6), (30, 7), (30, 25), (25, 6)])
def test_any_rate_is_kept_on_average_and_no_gap_is_longer_than_it_must(stream_hz, rate_hz):
    found = kept(stream(stream_hz, 60), rate_hz, stream_hz)
    assert len(found) == pytest.approx(60 * rate_hz, abs=2)
    assert np.diff(found).max() <= NS / rate_hz + NS / stream_hz + 1e4


@pytest.mark.parametrize("rate_hz", [6.0, 6.06, 30.0])
def test_a_stream_that_is_not_faster_is_passed_whole(rate_hz):
    stamps = stream(6, 30)
    assert np.array_equal(kept(stamps, rate_hz, 6), stamps)


def test_jitter_changes_neither_the_number_nor_the_grid():
    clean = stream(30, 60)
    noise = np.random.default_rng(5).uniform(-6e6, 6e6, len(clean)).astype(np.int64)
    found = kept(clean + noise, 6, 30)
    assert len(found) == pytest.approx(360, abs=1)
    assert np.abs(np.diff(found) - NS / 6).max() < 40e6


def test_after_a_hole_the_next_frame_is_taken_and_the_rate_goes_on():
    stamps = stream(30, 20)
    holed = np.concatenate([stamps[:100], stamps[250:]])
    found = kept(holed, 6, 30)
    assert stamps[250] in found
    assert np.diff(found[found >= stamps[250]]).min() == pytest.approx(NS / 6, abs=1e6)


@pytest.mark.parametrize("step_s", [-3600.0, -0.5, 3600.0])
def test_after_a_step_of_the_clock_frames_go_on_at_once(step_s):
    stamps = stream(30, 10)
    stepped = stamps + round(step_s * NS) + NS // 30
    found = kept(np.concatenate([stamps, stepped]), 6, 30)
    assert len(found) == pytest.approx(120, abs=4)
