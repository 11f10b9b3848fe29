"""Steps as nobody should make them, for every arm."""

import numpy as np

from tiltbot_ros.arms.deltas import Step

CAUSES = {"numbers", "far", "stamp", "sequence", "commander"}
"""What `steps` is refused for, sooner or later."""


def steps(random, count, *, commander, clock):
    """Yield steps: sound, NaN, infinite, huge, stale, ahead, doubled, foreign.

    Args:
        random: numpy Generator.
        count: how many.
        commander: who has the arm.
        clock: the ROS clock [ns].
    """
    for sequence in range(1, count + 1):
        delta = random.uniform(-0.02, 0.02, 6) * random.choice([0.1, 1.0, 1.0, 100.0, 1e200])
        if random.random() < 0.15:
            delta[random.integers(6)] = random.choice([np.nan, np.inf, -np.inf])
        yield Step(
            commander=commander if random.random() < 0.85 else "other",
            sequence=sequence if random.random() < 0.85 else max(sequence - 3, 0),
            stamp_ns=clock() - int(random.choice([0, 0, 0, 0, 5, -5]) * 10**9),
            delta=delta,
        )
