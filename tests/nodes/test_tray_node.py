"""The `tilt` action of the tray node, in a process of its own."""

import numpy as np
import pytest
from rclpy.action import ActionClient

from tests.nodes import knocking
from tests.nodes.graphs import running
from tiltbot.action import Tilt
from tiltbot_ros import topics
from tiltbot_ros.nodes.wiring import nanoseconds

pytestmark = pytest.mark.graph
HEARD = [topics.TILT, topics.TRAY_POSE, topics.TRAY_REFERENCE, topics.TRAY_JOINTS]


@pytest.fixture
def tray(ros_environment, tmp_path):
    with running([knocking.tray(**knocking.quick_tilts())], tmp_path, topics=HEARD) as (
        graph,
        observer,
    ):
        client = ActionClient(observer.node, Tilt, "tilt")
        observer.until(client.server_is_ready, 15.0, graph)
        yield observer, client


def send(observer, client, ax, ay):
    return observer.result(client.send_goal_async(Tilt.Goal(ax=ax, ay=ay)))


def test_a_tilt_is_done_and_told(tray):
    observer, client = tray
    handle = send(observer, client, 0.6, -0.8)
    assert handle.accepted
    result = observer.result(handle.get_result_async()).result
    assert result.success, result.reason
    observer.until(lambda: observer.heard["tilt"], 5.0)
    tilt = observer.heard["tilt"][0]
    assert (tilt.ax, tilt.ay) == (0.6, -0.8)
    np.testing.assert_allclose([tilt.rotation.x, tilt.rotation.y], [0.27, -0.36])
    assert 0.65 < (nanoseconds(tilt.end) - nanoseconds(tilt.start)) * 1e-9 < 0.9
    during = [
        pose.pose.orientation
        for pose in observer.heard["tray/pose"]
        if nanoseconds(tilt.start) <= nanoseconds(pose.header.stamp) <= nanoseconds(tilt.end)
    ]
    assert max(2 * np.arctan2(np.hypot(q.x, q.y), q.w) for q in during) > 0.4
    assert observer.heard["tray/reference"][0].header.frame_id == "tray_level"


def test_the_state_comes_a_hundred_times_a_second(tray):
    observer, _ = tray
    observer.heard["tray/joint_states"].clear()
    observer.spin(2.0)
    stamps = [nanoseconds(m.header.stamp) for m in observer.heard["tray/joint_states"]]
    assert len(stamps) > 150
    assert np.median(np.diff(stamps)) == pytest.approx(10e6, rel=0.1)


@pytest.mark.parametrize("action", [(1.2, 0.0), (0.8, 0.8), (float("nan"), 0.0)])
def test_a_tilt_out_of_range_is_refused_at_the_goal(tray, action):
    observer, client = tray
    assert not send(observer, client, *action).accepted


def test_a_second_tilt_is_refused_while_one_is_under_way(tray):
    observer, client = tray
    first = send(observer, client, 0.5, 0.0)
    assert first.accepted
    assert not send(observer, client, 0.0, 0.5).accepted
    assert observer.result(first.get_result_async()).result.success


def test_a_cancelled_tilt_comes_level_and_is_no_action(tray):
    observer, client = tray
    handle = send(observer, client, 1.0, 0.0)
    observer.spin(0.3)
    observer.result(handle.cancel_goal_async())
    result = observer.result(handle.get_result_async()).result
    assert (result.success, result.reason) == (False, "cancelled")
    observer.spin(1.0)
    last = observer.heard["tray/pose"][-1].pose.orientation
    assert abs(last.x) < 1e-3
    assert observer.heard["tilt"] == []
    assert send(observer, client, 0.2, 0.0).accepted


def test_a_tray_that_does_not_follow_ends_the_tilt(ros_environment, tmp_path):
    slow = {
        "kinematic.rate_rad_s": 0.01,
        "follow.follow_time_s": 0.2,
        "tilt.hold_s": 3.0,
    }
    with running([knocking.tray(**slow)], tmp_path, topics=HEARD) as (graph, observer):
        client = ActionClient(observer.node, Tilt, "tilt")
        observer.until(client.server_is_ready, 15.0, graph)
        handle = send(observer, client, 1.0, 0.0)
        result = observer.result(handle.get_result_async()).result
    assert not result.success
    assert "does not follow" in result.reason
