"""Sizes and numbers that libfranka-common lays down; the rest is shown by libfranka itself."""

import numpy as np
import pytest

from tests.emulators.fci import model, wire


def test_datagrams_have_the_sizes_of_the_protocol():
    assert wire.STATE.itemsize == 1377
    assert wire.COMMAND.itemsize == 371
    assert wire.HAND_STATE.size == 23


def test_the_tool_is_where_franka_says_it_is_in_the_neutral_pose():
    # Flange 0.5902 m above the base, 0.1034 m to the fingertips, pointing down.
    tool = model.Body().tool()
    np.testing.assert_allclose(tool[:3, 3], [0.3069, 0.0, 0.4869], atol=1e-4)
    np.testing.assert_allclose(tool[:3, :3], np.diag([1.0, -1.0, -1.0]), atol=1e-9)


def test_a_torque_turns_a_joint_and_the_brakes_stop_it():
    body = model.Body()
    for _ in range(100):
        body.step(np.array([5.0, 0, 0, 0, 0, 0, 0]))
    speed, at = body.dq[0], body.q[0]
    assert speed > 0.1
    for _ in range(600):
        body.brake()
    assert not body.dq.any()
    # Of the speed, 3 % go each millisecond.
    assert body.q[0] - at == pytest.approx(speed * 0.001 * 0.97 / 0.03, rel=0.01)
