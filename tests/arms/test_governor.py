import numpy as np
import pytest

from tiltbot_ros.arms.governor import Governor
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.tilts import minimum_jerk

RATE_HZ = 100.0
SLACK = 1e-9


def check(path, limits, dt_s, jerk=True):
    """Every sample of a path (steps, ..., n) and its differences keep the limits."""
    assert (path >= limits.lower - SLACK).all()
    assert (path <= limits.upper + SLACK).all()
    velocity = np.diff(path, axis=0) / dt_s
    assert (np.abs(velocity) <= limits.velocity + SLACK / dt_s).all()
    acceleration = np.diff(velocity, axis=0) / dt_s
    assert (np.abs(acceleration) <= limits.acceleration + SLACK / dt_s**2).all()
    if jerk:
        rate = np.diff(acceleration, axis=0) / dt_s
        assert (np.abs(rate) <= limits.jerk + SLACK / dt_s**3).all()


@pytest.mark.parametrize(("robot", "rate_hz"), [("sawyer", 100.0), ("fr3", 30.0), ("gen3", 10.0)])
def test_a_hundred_thousand_wild_arms_never_leave_their_limits(robot, rate_hz):
    """Targets and their velocities are redrawn at random moments, some absurd."""
    rng = np.random.default_rng(5)
    limits = load_limits(robot).joints.reduced(margin=0.05)
    arms, axes, steps = 34_000, len(limits.names), 60
    low, high = np.maximum(limits.lower, -9.0), np.minimum(limits.upper, 9.0)
    governor = Governor(limits, rate_hz=rate_hz)
    dt = governor.dt_s
    start = rng.uniform(low, high, (arms, axes))
    # A fifth of the joints starts exactly at an end.
    start = np.where(rng.random(start.shape) < 0.1, low, start)
    start = np.where(rng.random(start.shape) < 0.1, high, start)
    governor.reset(start)
    history = [start] * 4
    target, velocity = start, np.zeros_like(start)
    for _ in range(steps):
        new = rng.random((arms, 1)) < 0.2
        scale = 10.0 ** rng.uniform(-3, 6, (arms, 1))
        target = np.where(new, start + scale * rng.standard_normal((arms, axes)), target)
        velocity = np.where(new, scale * rng.standard_normal((arms, axes)), velocity)
        if rng.random() < 0.1:
            governor.brake()
        else:
            governor.step(target, velocity)
        history = [*history[1:], governor.reference]
        check(np.stack(history), limits, dt)


def follow(governor, path, velocity):
    out = []
    for target, speed in zip(path, velocity, strict=True):
        out.append(governor.step(target, speed))
    return np.array(out)


def test_a_motion_within_the_limits_is_followed_without_lag():
    limits = load_limits("sawyer").joints
    governor = Governor(limits, rate_hz=RATE_HZ)
    time_s = np.arange(0.0, 1.2, 0.01)
    path = np.array([[0.4 * minimum_jerk(t)] * 7 for t in time_s])
    velocity = np.gradient(path, 0.01, axis=0)
    governor.reset(path[0])
    out = follow(governor, path, velocity)
    delay = (governor.window - 1) / 2
    assert delay <= 2
    shifted = np.array([[0.4 * minimum_jerk(t - delay * 0.01)] * 7 for t in time_s])
    np.testing.assert_allclose(out, shifted, atol=1e-3)


def test_a_jump_is_met_as_fast_as_allowed_and_without_overshoot():
    limits = load_limits("sawyer").joints
    governor = Governor(limits, rate_hz=RATE_HZ)
    governor.reset(np.zeros(7))
    target, still = np.full(7, 0.5), np.zeros(7)
    out = np.array([governor.step(target, still) for _ in range(200)])
    assert (out <= 0.5 + 1e-12).all()
    np.testing.assert_allclose(out[-1], 0.5, atol=1e-9)
    speed, acceleration = limits.velocity[0], limits.acceleration[0]
    least_s = 0.5 / speed + speed / acceleration
    took_s = np.argmax(out[:, 0] > 0.495) / RATE_HZ
    assert took_s < 1.25 * least_s
    assert governor.still


def test_braking_stops_within_the_shortest_way_and_holds():
    limits = load_limits("sawyer").joints
    governor = Governor(limits, rate_hz=RATE_HZ)
    governor.reset(np.zeros(7))
    speed = 0.5 * limits.velocity
    for step in range(80):
        governor.step(speed * step / RATE_HZ, speed)
    before = governor.reference.copy()
    path = np.array([governor.brake() for _ in range(100)])
    way = np.abs(path[-1] - before)
    delay = (governor.window - 1) / 2 / RATE_HZ
    assert (way <= speed**2 / (2 * limits.acceleration) + speed * (delay + 0.01)).all()
    assert governor.still
    np.testing.assert_array_equal(path[-1], path[-2])


def test_an_arm_that_starts_outside_can_only_go_inwards():
    limits = load_limits("sawyer").joints
    governor = Governor(limits, rate_hz=RATE_HZ)
    outside = limits.upper + 0.1
    governor.reset(outside)
    for _ in range(50):
        governor.step(outside + 1.0, np.ones(7))
    np.testing.assert_array_less(governor.reference, outside + 1e-9)
    for _ in range(300):
        governor.step(limits.upper - 0.2, np.zeros(7))
    np.testing.assert_allclose(governor.reference, limits.upper - 0.2, atol=1e-6)


def test_endless_joints_have_no_ends():
    limits = load_limits("gen3").joints
    governor = Governor(limits, rate_hz=RATE_HZ)
    governor.reset(np.zeros(7))
    for step in range(2000):
        governor.step(np.full(7, 0.5 * step / RATE_HZ), np.full(7, 0.5))
    assert governor.reference[0] == pytest.approx(10.0, abs=0.05)
    assert governor.reference[1] == pytest.approx(limits.upper[1])
