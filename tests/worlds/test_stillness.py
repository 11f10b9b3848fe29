import numpy as np
import pytest

from tiltbot_ros.worlds.stillness import CHECK_STEPS, Stillness
from tiltbot_ros.worlds.tray import TrayWorld

RATE = 44_100
STILL = np.zeros(8)


def moved(index, value):
    qvel = STILL.copy()
    qvel[index] = value
    return qvel


def settled():
    stillness = Stillness()
    stillness.hold((0.0, 0.0))
    for _ in range(5):
        stillness.look(STILL)
    return stillness


@pytest.mark.parametrize(("index", "value"), [(1, -3e-4), (3, 6e-4), (7, -0.02)])
def test_whatever_moves_starts_the_wait_anew(index, value):
    stillness = Stillness()
    stillness.hold((0.0, 0.0))
    for qvel in (*[STILL] * 4, moved(index, value), *[STILL] * 4):
        stillness.look(qvel)
        assert not stillness.still
    stillness.look(moved(index, value / 10))
    assert stillness.still
    assert stillness.hold((0.0, 0.0))


def test_another_input_wakes_the_world():
    stillness = settled()
    assert stillness.hold((0.0, 0.0))
    assert not stillness.hold((0.0, 1e-9))
    assert not stillness.still


def test_an_empty_tray_has_no_object_to_wait_for():
    stillness = Stillness()
    stillness.hold((0.0, 0.0))
    for _ in range(5):
        stillness.look(np.zeros(2))
    assert stillness.still


def test_a_world_at_rest_computes_no_steps_and_wakes_the_same_however_time_is_cut(monkeypatch):
    looks = []
    look = Stillness.look
    monkeypatch.setattr(
        Stillness, "look", lambda self, qvel: (looks.append(1), look(self, qvel))[1]
    )
    results = []
    for blocks in ([2 * RATE], [441] * 200):
        world = TrayWorld(seed=3)
        world.place("025_mug")
        looks.clear()
        world.command(np.array([0.0, 0.3]), frame=RATE)
        parts = [world.advance(block) for block in blocks]
        results.append(np.concatenate([part.samples for part in parts]))
        assert any(part.contacts for part in parts)
        # Most of the first second is rest.
        assert len(looks) * CHECK_STEPS < 1600
    np.testing.assert_array_equal(*results)
