"""The arm node of the rig kinova against the emulated Gen3, each a process of its own."""

import dataclasses
import os
import signal
import time

import numpy as np
import pytest

from tests.emulators.kortex.process import KortexProcess
from tests.nodes.graphs import running
from tests.nodes.leading import Commander
from tiltbot_ros import bringup, topics
from tiltbot_ros.rigs import load_rig

pytestmark = pytest.mark.graph

# A busy machine is no fault of the robot.
PATIENT = {
    "kinova.state_timeout_s": 1.5,
    "kinova.blind_s": 0.25,
    "kinova.latency_s": 0.1,
    "kinova.start_s": 30.0,
    "guard.max_age_s": 1.0,
    "guard.deadman_s": 1.0,
}


def position(message):
    point = message.pose.position
    return np.array([point.x, point.y, point.z])


def arm_node():
    spec = bringup.arm(load_rig("kinova"))
    return dataclasses.replace(spec, parameters={**spec.parameters, **PATIENT})


def test_steps_at_10_hz_move_a_gen3_and_the_node_ends_with_it(ros_environment, tmp_path):
    heard = [topics.ARM_POSE, topics.ARM_STATE, topics.ARM_JOINTS, topics.ARM_REFERENCE]
    with (
        KortexProcess(rate_hz=100.0) as gen3,
        running([arm_node()], tmp_path, topics=heard) as (graph, observer),
    ):
        observer.until(lambda: observer.heard["arm/pose"], 60.0, graph)
        commander = Commander(observer)
        assert commander.take(graph).success
        before = position(observer.heard["arm/pose"][-1])
        commander.steps([0.0, 0.005, 0.0, 0.0, 0.0, 0.0], 12)
        commander.steps([0.0] * 6, 15)
        after = position(observer.heard["arm/pose"][-1])
        np.testing.assert_allclose(after - before, [0.0, 0.06, 0.0], atol=2e-3)
        told = gen3.tell()
        assert not told["fault"]
        assert told["taken"] > 30
        # Without ros2_kortex the node ends, and says why.
        gen3.kill()
        observer.until(graph.poll, 20.0, graph)


def test_a_node_that_is_killed_in_a_motion_leaves_an_arm_that_brakes(ros_environment, tmp_path):
    heard = [topics.ARM_POSE]
    with (
        KortexProcess(rate_hz=100.0) as gen3,
        running([arm_node()], tmp_path, topics=heard) as (graph, observer),
    ):
        observer.until(lambda: observer.heard["arm/pose"], 60.0, graph)
        commander = Commander(observer)
        assert commander.take(graph).success
        end_s = time.monotonic() + 10.0
        while np.abs(gen3.tell()["dq"]).max() < 0.02:
            assert time.monotonic() < end_s
            commander.steps([0.0, 0.008, 0.0, 0.0, 0.0, 0.0], 1)
        os.kill(graph.pids()["arm"], signal.SIGKILL)
        end_s = time.monotonic() + 10.0
        while np.abs((told := gen3.tell())["dq"]).max() > 1e-6:
            assert time.monotonic() < end_s
            time.sleep(0.05)
        assert not told["fault"]
