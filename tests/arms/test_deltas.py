"""Steps summed into an absolute reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.arms.plain_arm import LIMITS, TOOL
from tiltbot_ros.arms.deltas import DeltaReference, DeltaSettings, Segment
from tiltbot_ros.arms.poses import angle_between, tool_pose

BOX = LIMITS.pose


def reference(**settings):
    made = DeltaReference(DeltaSettings(**settings), BOX)
    made.place(TOOL)
    return made


def along_x(metres):
    return np.array([metres, 0.0, 0.0, 0.0, 0.0, 0.0])


def test_the_sum_of_many_steps_is_lost_to_nothing():
    made = reference()
    for _ in range(40):
        assert not made.add(along_x(0.003), made.pose)
    assert made.pose[0] - TOOL[0] == pytest.approx(0.120, abs=1e-12)


def test_an_arm_that_lags_within_the_lead_loses_nothing():
    made, measured = reference(lead_m=0.05), TOOL.copy()
    for _ in range(40):
        made.add(along_x(0.003), measured)
        measured = measured + 0.1 * (made.pose - measured)
    assert made.pose[0] - TOOL[0] == pytest.approx(0.120, abs=1e-12)


def test_a_step_is_cut_in_its_own_direction():
    made = reference(step_m=0.01, step_rad=0.05)
    assert made.add(np.array([0.03, 0.04, 0.0, 0.0, 0.0, 0.2]), TOOL)
    np.testing.assert_allclose(made.pose - TOOL, [0.006, 0.008, 0, 0, 0, 0.05], atol=1e-12)


def test_the_reference_stays_within_the_lead_of_an_arm_that_is_stuck():
    made = reference(lead_m=0.02, lead_rad=0.1)
    for _ in range(30):
        made.add(np.array([0.0, 0.01, 0.0, 0.0, 0.05, 0.0]), TOOL)
    assert np.linalg.norm(made.pose[:3] - TOOL[:3]) == pytest.approx(0.02)
    turned = angle_between(tool_pose(made.pose).rotation, tool_pose(TOOL).rotation)
    assert turned == pytest.approx(0.1)


def test_the_reference_stays_in_its_box():
    made = reference()
    for _ in range(200):
        made.add(np.array([0.0, 0.0, -0.02, 0.1, 0.0, 0.0]), made.pose)
    assert made.pose[2] == BOX.lower[2]
    assert made.pose[3] == pytest.approx(BOX.upper[3])


def test_an_arm_that_starts_outside_comes_in_and_not_back_out():
    made = reference()
    outside = TOOL.copy()
    outside[2] = BOX.lower[2] - 0.01
    made.place(outside)
    made.add(np.array([0.0, 0.0, -0.005, 0, 0, 0]), outside)
    assert made.pose[2] == outside[2]
    made.add(np.array([0.0, 0.0, 0.02, 0, 0, 0]), outside)
    inside = made.pose.copy()
    made.add(np.array([0.0, 0.0, -0.02, 0, 0, 0]), outside)
    assert inside[2] > BOX.lower[2]
    assert made.pose[2] == BOX.lower[2]


number = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(*[number] * 6), min_size=1, max_size=20))
def test_no_steps_leave_box_or_lead(steps):
    made, measured = reference(), TOOL
    for step in steps:
        made.add(np.array(step), measured)
        assert (made.pose >= BOX.lower - 1e-9).all()
        assert (made.pose <= BOX.upper + 1e-9).all()
        assert np.linalg.norm(made.pose[:3] - measured[:3]) <= 0.05 + 1e-9
        measured = made.pose.copy()


def test_a_segment_arrives_when_it_should_and_rests():
    way = Segment(start_s=10.0, duration_s=0.1, begin=np.zeros(6), end=along_x(0.01))
    assert way.position(10.05)[0] == pytest.approx(0.005)
    assert way.velocity(10.05)[0] == pytest.approx(0.1)
    assert way.position(11.0)[0] == 0.01
    assert not way.velocity(11.0).any()
