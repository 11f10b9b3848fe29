"""The arm node in a process of its own: sums, commanders, deadman, stop, dry run."""

import os
import signal

import numpy as np
import pytest
from std_srvs.srv import Trigger

from tests.nodes.graphs import running
from tests.nodes.leading import DEADMAN_S, RIG, Commander, arm_spec
from tiltbot_ros import topics
from tiltbot_ros.bringup import teleop_graph
from tiltbot_ros.nodes.wiring import nanoseconds

pytestmark = pytest.mark.graph
HEARD = [
    topics.ARM_POSE,
    topics.ARM_REFERENCE,
    topics.ARM_PREVIEW,
    topics.ARM_JOINTS,
    topics.ARM_STATE,
]


def position(message):
    point = message.pose.position
    return np.array([point.x, point.y, point.z])


def still(observer):
    """Whether the arm has said that it stands since it was told anything."""
    return observer.heard["arm/state"] and observer.heard["arm/state"][-1].mode == "holding"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_DOMAIN_ID", "91")
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        patch.setenv("ROS_LOG_DIR", str(tmp_path_factory.mktemp("log")))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def arm(environment, tmp_path_factory):
    with running([arm_spec()], tmp_path_factory.mktemp("arm"), topics=HEARD) as (graph, observer):
        observer.until(lambda: observer.heard["arm/pose"], 60.0, graph)
        yield observer, Commander(observer), graph


def test_steps_arrive_as_their_sum_and_a_second_commander_is_refused(arm):
    observer, commander, graph = arm
    assert commander.take(graph).success
    refused = commander.take(name="somebody")
    assert not refused.success
    assert "'tester' commands it" in refused.message
    before = position(observer.heard["arm/pose"][-1])
    commander.steps([0.0, 0.006, 0.0, 0.0, 0.0, 0.0], 20)
    commander.steps([0.0] * 6, 10)
    after = position(observer.heard["arm/pose"][-1])
    np.testing.assert_allclose(after - before, [0.0, 0.120, 0.0], atol=5e-4)
    reference = observer.heard["arm/reference"][-1]
    assert reference.header.frame_id == "base"
    np.testing.assert_allclose(position(reference), after, atol=5e-4)
    state = observer.heard["arm/state"][-1]
    assert (state.commander, state.space, state.dry_run) == ("tester", "pose", False)
    assert len(observer.heard["arm/joint_states"][-1].name) == 7
    assert observer.heard["arm/preview"] == []


def test_a_silent_commander_stops_the_arm_and_loses_it(arm):
    observer, commander, graph = arm
    assert commander.take(graph).success
    stops = observer.heard["arm/state"][-1].deadman_stops
    commander.steps([0.0, -0.01, 0.0, 0.0, 0.0, 0.0], 6)
    heard_ns = observer.node.get_clock().now().nanoseconds
    observer.until(lambda: observer.heard["arm/state"][-1].deadman_stops > stops, 10.0, graph)
    first = next(s for s in observer.heard["arm/state"] if s.deadman_stops > stops)
    assert nanoseconds(first.header.stamp) - heard_ns < (DEADMAN_S + 1.0) * 1e9
    observer.until(lambda: still(observer), 5.0, graph)
    assert "no command" in observer.heard["arm/state"][-1].reason
    observer.until(lambda: not observer.heard["arm/state"][-1].commander, 10.0, graph)


def test_a_stop_by_a_person_outlasts_a_commander_that_goes_on(arm):
    observer, commander, graph = arm
    assert commander.take(graph).success
    commander.steps([0.0, -0.005, 0.0, 0.0, 0.0, 0.0], 3)
    stop = observer.node.create_client(Trigger, "arm/stop")
    observer.until(stop.service_is_ready, 10.0)
    assert observer.result(stop.call_async(Trigger.Request())).success
    commander.steps([0.0, -0.005, 0.0, 0.0, 0.0, 0.0], 5)
    observer.until(lambda: still(observer), 5.0)
    state = observer.heard["arm/state"][-1]
    assert state.commander == ""
    assert "arm/stop" in state.reason
    assert any(count.cause == "commander" for count in state.refusals)


def test_a_source_that_hangs_or_is_killed_stops_the_arm(environment, tmp_path):
    changed = RIG.model_copy(
        update={
            "teleop": RIG.teleop.model_copy(update={"source": "scripted"}),
            "scripted": RIG.scripted.model_copy(update={"motion": "wipe", "duration_s": 60.0}),
        }
    )
    place = {"namespace": "/killed", "topics": HEARD}
    with running(teleop_graph(changed), tmp_path, **place) as (graph, observer):
        states = observer.heard["arm/state"]
        observer.until(
            lambda: states and states[-1].mode == "following" and states[-1].deltas > 20,
            60.0,
            graph,
        )
        person = graph.pids()["teleop"]
        os.kill(person, signal.SIGSTOP)
        observer.until(lambda: states[-1].deadman_stops > 0, 10.0, graph)
        observer.until(lambda: still(observer), 5.0, graph)
        os.kill(person, signal.SIGCONT)
        observer.until(lambda: states[-1].mode == "following", 20.0, graph)
        stops = states[-1].deadman_stops
        os.kill(person, signal.SIGKILL)
        observer.until(lambda: states[-1].deadman_stops > stops, 10.0, graph)
        observer.until(lambda: still(observer), 5.0, graph)
        before = position(observer.heard["arm/pose"][-1])
        observer.spin(0.5)
        np.testing.assert_allclose(position(observer.heard["arm/pose"][-1]), before, atol=1e-4)


def test_a_dry_run_shows_the_reference_and_sends_none(environment, tmp_path):
    place = {"namespace": "/dry", "topics": HEARD}
    with running([arm_spec(dry_run=True)], tmp_path, **place) as (graph, observer):
        commander = Commander(observer)
        assert commander.take(graph).success
        observer.until(lambda: observer.heard["arm/preview"], 30.0, graph)
        before = position(observer.heard["arm/preview"][-1])
        commander.steps([0.0, 0.01, 0.0, 0.0, 0.0, 0.0], 6)
        commander.steps([0.0] * 6, 10)
        after = position(observer.heard["arm/preview"][-1])
        np.testing.assert_allclose(after - before, [0.0, 0.06, 0.0], atol=5e-4)
        assert observer.heard["arm/state"][-1].dry_run
        assert observer.heard["arm/reference"] == []
