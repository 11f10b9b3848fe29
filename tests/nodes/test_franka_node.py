"""The arm node of the rig franka: real franky, and the emulated Control in a process of its own."""

import dataclasses
import os
import signal

import numpy as np
import pytest
from std_srvs.srv import Trigger

from tests.arms.franka.conftest import PATIENT
from tests.emulators.fci.process import Emulator
from tests.nodes.graphs import running
from tests.nodes.leading import Commander
from tiltbot_ros import bringup, topics
from tiltbot_ros.rigs import load_rig

pytestmark = pytest.mark.graph

# A busy machine is no fault of the robot; a commander of 10 steps a second is enough here.
CHANGES = {
    **{f"franka.{name}": value for name, value in PATIENT.items()},
    "guard.max_age_s": 1.0,
    "guard.deadman_s": 1.0,
    "deltas.rate_hz": 10.0,
}


def test_steps_reflex_recovery_and_a_kill_of_the_node(ros_environment, tmp_path):
    spec = bringup.arm(load_rig("franka"))
    with Emulator() as robot:
        parameters = {**spec.parameters, **CHANGES, "franka.host": robot.address}
        spec = dataclasses.replace(spec, parameters=parameters)
        heard = [topics.ARM_POSE, topics.ARM_STATE]
        with running([spec], tmp_path, topics=heard) as (graph, observer):
            states = observer.heard["arm/state"]
            observer.until(lambda: observer.heard["arm/pose"], 60.0, graph)
            commander = Commander(observer)
            assert commander.take(graph).success
            assert "'tester' commands it" in commander.take(name="policy").message
            before = robot.tool()[:3, 3]
            commander.steps([0.0, 0.005, 0.0, 0.0, 0.0, 0.0], 10)
            commander.steps([0.0] * 6, 12)
            np.testing.assert_allclose(robot.tool()[:3, 3] - before, [0, 0.05, 0], atol=6e-3)

            robot.ask("reflex", reason="joint_reflex")
            observer.until(lambda: "joint_reflex" in states[-1].fault, 10.0, graph)
            recover = observer.node.create_client(Trigger, "arm/recover")
            observer.until(recover.service_is_ready, 10.0)
            answer = observer.result(recover.call_async(Trigger.Request()), 20.0)
            assert answer.success, answer.message
            observer.until(lambda: states[-1].mode == "holding", 10.0, graph)

            assert commander.take(graph).success
            commander.steps([0.0, -0.005, 0.0, 0.0, 0.0, 0.0], 6)
            os.kill(graph.pids()["arm"], signal.SIGKILL)
            stopped = robot.until(lambda status: not status["moving"])
            assert stopped["reasons"] == ["communication_constraints_violation"]
            robot.until(lambda status: status["speed"] == 0.0)
