import numpy as np
import pytest

from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat
from tiltbot_ros.sensors.blocker import AudioBlocker
from tiltbot_ros.sensors.clockfit import ClockBridge, ClockFit
from tiltbot_ros.sensors.follower import FittedTimebase, StreamFollower

RATE = 44_100
FORMAT = AudioFormat(sample_rate=RATE, channels=1, bits=24)
WALL_NS = 1_700_000_000_000_000_000


class Device:
    """A sound card in simulated time: sample n was acquired at n / rate (1 + drift)."""

    def __init__(self, *, jitter_s: float, drift_ppm: float = 0.0, chunk: int = 512) -> None:
        self.rng = np.random.default_rng(11)
        self.jitter_s = jitter_s
        self.drift = drift_ppm * 1e-6
        self.chunk = chunk
        self.acquired = 0
        self.now_ns = 0
        self.wall_offset_ns = WALL_NS
        self.blocks: list[AudioBlock] = []
        fit = ClockFit(sample_rate_hz=RATE)
        bridge = ClockBridge(
            clock=lambda: self.now_ns + self.wall_offset_ns, monotonic=lambda: self.now_ns
        )
        self.blocker = AudioBlocker(
            audio_format=FORMAT,
            block_frames=441,
            timebase=FittedTimebase(fit=fit, bridge=bridge),
            sink=self.blocks.append,
        )
        self.fit = fit
        self.follower = StreamFollower(blocker=self.blocker, fit=fit, sample_rate_hz=RATE)

    def true_ns(self, sample: int) -> int:
        return round(sample / RATE * (1 + self.drift) * 1e9)

    def run(self, seconds: float, *, late_s: float = 0.0, overflow: bool = False) -> None:
        for _ in range(round(seconds * RATE / self.chunk)):
            self.one(late_s=late_s, overflow=overflow)
            overflow = False

    def one(self, *, late_s: float = 0.0, overflow: bool = False, lost_frames: int = 0) -> None:
        values = np.arange(self.acquired, self.acquired + self.chunk, dtype=np.int32)[:, None]
        host_ns = self.true_ns(self.acquired) + round(
            (self.rng.uniform(-1, 1) * self.jitter_s + late_s) * 1e9
        )
        self.acquired += self.chunk
        self.now_ns = self.true_ns(self.acquired)
        self.follower.push(values, host_ns=host_ns, overflow=overflow, lost_frames=lost_frames)

    def lose(self, seconds: float) -> None:
        self.acquired += round(seconds * RATE)

    def index_errors(self, since_sample: int = 0) -> np.ndarray:
        """How far each block's first_sample is from the sample it holds."""
        return np.array(
            [
                b.first_sample - int(b.samples[0, 0])
                for b in self.blocks
                if b.samples[0, 0] >= since_sample
            ]
        )

    def stamp_errors_s(self, since_sample: int = 0) -> np.ndarray:
        return np.array(
            [
                (b.stamp_ns - WALL_NS - self.true_ns(int(b.samples[0, 0]))) / 1e9
                for b in self.blocks
                if b.samples[0, 0] >= since_sample
            ]
        )


def test_a_steady_device_gives_an_unbroken_stream_with_true_stamps():
    device = Device(jitter_s=0.0005, drift_ppm=150.0)
    device.run(20)
    assert np.all(device.index_errors() == 0)
    assert np.all(np.diff([b.first_sample for b in device.blocks]) == 441)
    assert np.abs(device.stamp_errors_s(5 * RATE)).max() < 3e-4
    assert device.blocker.holes == 0


@pytest.mark.parametrize("overflow", [True, False])
@pytest.mark.parametrize("lost_s", [0.05, 0.3, 2.0])
def test_a_loss_becomes_a_hole_of_its_length_and_later_stamps_stay_true(overflow, lost_s):
    device = Device(jitter_s=0.002, drift_ppm=-100.0)
    device.run(8)
    device.lose(lost_s)
    lost_at = device.acquired
    device.run(8, overflow=overflow)
    assert device.blocker.holes == 1
    assert np.abs(device.index_errors(lost_at)).max() <= device.chunk
    assert np.abs(device.stamp_errors_s(lost_at)).max() < 2e-3
    assert np.all(device.index_errors()[: 6 * 100] == 0)
    assert device.blocks[-1].xruns == int(overflow)


def test_a_loss_under_20_ms_of_jitter_is_found_to_within_a_period():
    device = Device(jitter_s=0.02)
    device.run(20)
    device.lose(0.3)
    lost_at = device.acquired
    device.run(20, overflow=True)
    assert device.blocker.holes == 1
    assert np.abs(device.index_errors(lost_at)).max() <= device.chunk
    assert np.abs(device.stamp_errors_s(lost_at)).max() < device.chunk / RATE
    assert np.abs(device.stamp_errors_s(lost_at + 10 * RATE)).max() < 2e-3


def test_a_busy_computer_that_catches_up_is_no_hole():
    device = Device(jitter_s=0.001)
    device.run(8)
    for late_s in np.linspace(0.3, 0.0, 20):
        device.one(late_s=late_s)
    device.run(4)
    assert device.blocker.holes == 0
    assert np.all(device.index_errors() == 0)
    assert np.all(np.diff([b.first_sample for b in device.blocks]) == 441)


def test_an_overflow_flag_without_lateness_counts_but_leaves_no_hole():
    device = Device(jitter_s=0.001)
    device.run(6)
    device.run(6, overflow=True)
    assert device.blocker.holes == 0
    assert device.blocks[-1].xruns == 1
    assert np.all(np.diff([b.first_sample for b in device.blocks]) == 441)


def test_a_loss_that_was_counted_is_exact():
    device = Device(jitter_s=0.02)
    device.run(6)
    device.acquired += 12_345
    device.one(lost_frames=12_345)
    device.run(4)
    assert device.blocker.holes == 1
    assert np.all(device.index_errors() == 0)


def test_a_device_that_was_opened_anew_continues_the_count():
    device = Device(jitter_s=0.001, drift_ppm=50.0)
    device.run(10)
    device.lose(7.0)
    device.follower.reopen()
    lost_at = device.acquired
    device.run(10)
    assert device.blocker.holes == 1
    assert np.abs(device.index_errors(lost_at)).max() <= device.chunk
    assert np.abs(device.stamp_errors_s(lost_at)).max() < 2e-3


def test_frames_faster_than_the_clock_move_the_stamps_not_the_count():
    device = Device(jitter_s=0.001)
    device.run(6)
    before = device.acquired
    device.run(6, late_s=-0.2)
    assert device.blocker.holes == 0
    assert device.follower.early_shifts == 1
    assert np.all(device.index_errors() == 0)
    assert np.abs(device.stamp_errors_s(before + RATE) + 0.2).max() < 2e-3


def test_a_step_of_the_ros_clock_moves_stamps_once_and_leaves_the_count():
    device = Device(jitter_s=0.001)
    device.run(6)
    before = len(device.blocks)
    device.wall_offset_ns += 5_000_000_000
    device.run(6)
    assert np.all(np.diff([b.first_sample for b in device.blocks]) == 441)
    steps_s = np.diff([b.stamp_ns for b in device.blocks]) / 1e9 - 0.01
    assert np.sum(steps_s > 4.9) == 1
    assert np.abs(np.delete(steps_s, np.argmax(steps_s))).max() < 1e-3
    assert before <= int(np.argmax(steps_s)) + 1 <= before + 15
