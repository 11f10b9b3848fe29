import numpy as np
import pytest

from tiltbot_ros.sensors.clockfit import ClockBridge, ClockFit, ClockFitSettings

RATE = 44_100
CHUNK = 441


def simulate(
    *,
    seed: int,
    seconds: float,
    drift_ppm: float,
    jitter: str,
    jitter_s: float = 0.02,
    chunk: int = CHUNK,
) -> tuple[ClockFit, np.ndarray, np.ndarray]:
    """Return the fit and, per chunk, the time [s] and the error of its stamp [s]."""
    rng = np.random.default_rng(seed)
    fit = ClockFit(sample_rate_hz=RATE)
    start_ns = 5_000_000_000_000
    times, errors = [], []
    for frame in range(0, int(seconds * RATE), chunk):
        true_s = frame / RATE * (1 + drift_ppm * 1e-6)
        noise_s = rng.normal(0, jitter_s) if jitter == "gauss" else rng.uniform(-1, 1) * jitter_s
        if jitter == "bursts" and rng.random() < 0.02:
            noise_s += rng.uniform(0.05, 0.2)
        fit.observe(frame, start_ns + round((true_s + noise_s) * 1e9))
        if fit.settled:
            times.append(frame / RATE)
            errors.append((fit.host_ns(frame) - start_ns) / 1e9 - true_s)
    return fit, np.array(times), np.array(errors)


@pytest.mark.parametrize("drift_ppm", [-200.0, 0.0, 200.0])
@pytest.mark.parametrize("jitter", ["uniform", "bursts"])
def test_stamps_are_within_2_ms_after_15_s_under_20_ms_of_jitter(drift_ppm, jitter):
    for seed in range(5):
        _, times, errors = simulate(seed=seed, seconds=60, drift_ppm=drift_ppm, jitter=jitter)
        assert np.abs(errors[times > 15]).max() < 2e-3


def test_gaussian_jitter_of_20_ms_sigma_leaves_stamps_within_3_ms_after_20_s():
    worst = [
        np.abs(errors[times > 20]).max()
        for seed in range(5)
        for _, times, errors in [simulate(seed=seed, seconds=90, drift_ppm=150.0, jitter="gauss")]
    ]
    assert max(worst) < 3e-3


def test_small_jitter_gives_stamps_within_a_tenth_of_a_millisecond():
    _, times, errors = simulate(seed=1, seconds=20, drift_ppm=-80.0, jitter="gauss", jitter_s=1e-4)
    assert np.abs(errors[times > 5]).max() < 1e-4


def test_the_rate_error_of_the_device_is_found():
    fit, _, _ = simulate(seed=2, seconds=120, drift_ppm=200.0, jitter="uniform")
    assert fit.rate_error_ppm == pytest.approx(200.0, abs=20.0)
    assert fit.jitter_s == pytest.approx(0.02 / 3**0.5, rel=0.25)


def test_stamps_never_go_backwards_although_host_times_do():
    rng = np.random.default_rng(3)
    fit = ClockFit(sample_rate_hz=RATE)
    hosts, stamps = [], []
    for frame in range(0, 30 * RATE, CHUNK):
        hosts.append(round((frame / RATE + rng.uniform(-0.02, 0.02)) * 1e9))
        fit.observe(frame, hosts[-1])
        if fit.settled:
            stamps.append(fit.host_ns(frame))
    assert np.diff(hosts).min() < 0
    assert np.diff(stamps).min() > 0


def test_wild_times_while_the_device_settles_are_ignored():
    fit = ClockFit(sample_rate_hz=RATE, settings=ClockFitSettings(skip_s=1.0, anchor_s=0.5))
    for frame in range(0, 3 * RATE, CHUNK):
        wild_s = 0.5 if frame < RATE else 0.0
        fit.observe(frame, round((frame / RATE + wild_s) * 1e9))
    assert fit.host_ns(2 * RATE) == pytest.approx(2e9, abs=1e4)


def test_without_settling_the_first_time_is_the_anchor():
    fit = ClockFit(sample_rate_hz=RATE, settings=ClockFitSettings(skip_s=0.0, anchor_s=0.0))
    fit.observe(0, 7_000_000_000)
    assert fit.settled
    assert fit.host_ns(RATE) == 8_000_000_000


class Clocks:
    def __init__(self) -> None:
        self.mono_ns = 1_000_000_000
        self.offset_ns = 1_700_000_000_000_000_000

    def monotonic(self) -> int:
        self.mono_ns += 200
        return self.mono_ns

    def ros(self) -> int:
        return self.monotonic() + self.offset_ns


def test_bridge_follows_a_step_of_the_ros_clock_and_reports_it():
    clocks = Clocks()
    bridge = ClockBridge(clock=clocks.ros, monotonic=clocks.monotonic)
    start_ns = clocks.offset_ns
    assert bridge.ros_ns(500) == pytest.approx(start_ns + 500, abs=1000)
    clocks.offset_ns += 3_000_000_000
    clocks.mono_ns += 200_000_000
    assert bridge.ros_ns(500) == pytest.approx(start_ns + 3_000_000_500, abs=1000)
    assert bridge.steps == 1
    assert bridge.last_step_ns == pytest.approx(3_000_000_000, abs=1000)


def test_bridge_follows_a_slewed_clock_without_reporting_steps():
    clocks = Clocks()
    bridge = ClockBridge(clock=clocks.ros, monotonic=clocks.monotonic)
    for _ in range(100):
        clocks.mono_ns += 110_000_000
        clocks.offset_ns += 55_000
        assert bridge.ros_ns(0) == pytest.approx(clocks.offset_ns, abs=1000)
    assert bridge.steps == 0
