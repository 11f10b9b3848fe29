import itertools

import pytest

from tiltbot_ros.arms.sawyer.ros1.sawyer_side.motion import BRAKING, FOLLOWING, IDLE, Motion


def braked(motion, now_s):
    """Brake at 100 Hz until it stands; return positions and the time it took."""
    path, start = [], now_s
    while motion.due(now_s):
        position, stands = motion.brake(now_s)
        path.append(position)
        if stands:
            break
        now_s += 0.01
    return path, now_s - start


def test_silence_of_the_node_brakes_within_the_watchdog():
    motion = Motion([2.0, 4.0], timeout_s=0.1)
    motion.follow([0.0, 1.0], [0.5, -1.0], now_s=10.0)
    assert not motion.due(10.09)
    assert motion.phase == FOLLOWING
    assert motion.due(10.101)
    assert (motion.phase, motion.timeouts) == (BRAKING, 1)


def test_braking_is_a_ramp_of_the_velocity_and_ends_idle():
    motion = Motion([2.0, 4.0], timeout_s=0.1)
    motion.follow([0.0, 1.0], [0.5, -1.0], now_s=10.0)
    motion.stop()
    path, took_s = braked(motion, 10.01)
    assert took_s == pytest.approx(0.25, abs=0.03)
    assert motion.phase == IDLE
    assert not motion.due(11.0)
    for joint, (speed, most) in enumerate([(0.5, 2.0), (1.0, 4.0)]):
        at = [abs(position[joint] - (0.0, 1.0)[joint]) for position in path]
        speeds = [(b - a) / 0.01 for a, b in itertools.pairwise(at)]
        changes = [(a - b) / 0.01 for a, b in itertools.pairwise(speeds)]
        assert max(changes) <= most + 1e-6
        assert at[-1] <= speed**2 / (2 * most) + 1e-9


def test_a_new_reference_ends_the_braking():
    motion = Motion([2.0], timeout_s=0.1)
    motion.follow([0.0], [1.0], now_s=0.0)
    assert motion.due(0.2)
    motion.brake(0.2)
    motion.follow([0.05], [0.1], now_s=0.21)
    assert not motion.due(0.22)
    assert motion.phase == FOLLOWING


def test_nothing_is_told_to_a_robot_that_was_never_commanded():
    motion = Motion([2.0], timeout_s=0.1)
    motion.stop()
    assert not motion.due(100.0)
    assert motion.phase == IDLE
