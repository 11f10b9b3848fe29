"""The tray node with Sawyer's driver, its side process, and an emulated SDK and robot."""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rclpy.action import ActionClient
from std_srvs.srv import Trigger

from tests.emulators.sawyer.bus import SDK, RobotOnABus
from tests.nodes.graphs import running
from tiltbot.action import Tilt
from tiltbot_ros import bringup, topics
from tiltbot_ros.bringup import NodeSpec
from tiltbot_ros.rigs import load_rig
from tiltbot_ros.supervisor import last_words

pytestmark = pytest.mark.graph
HEARD = [topics.TRAY_POSE, topics.TRAY_JOINTS, topics.TILT, topics.DIAGNOSTICS]


def sawyer_node():
    rig = load_rig("sawyer")
    spec = next(
        spec for spec in bringup.collect_graph(rig, out=Path("none")) if spec.name == "tray"
    )
    quick = {
        "sawyer.python": sys.executable,
        "sawyer.pythonpath": [str(SDK)],
        "held.approach_rad_s": 1.0,
        "tilt.hold_s": 0.5,
    }
    return NodeSpec(
        executable=spec.executable,
        name=spec.name,
        parameters={**spec.parameters, **quick},
        required=True,
    )


@pytest.fixture
def sawyer(ros_environment, tmp_path):
    with RobotOnABus(tmp_path) as bus:
        level = load_rig("sawyer").held.level_joints_rad
        bus.robot.positions = list(level)
        bus.robot.target = list(level)
        environment = {"EMULATED_SAWYER": str(bus.path)}
        with running([sawyer_node()], tmp_path, topics=HEARD, environment=environment) as (
            graph,
            observer,
        ):
            client = ActionClient(observer.node, Tilt, "tilt")
            observer.until(client.server_is_ready, 30.0, graph)
            yield bus, graph, observer, client


def send(observer, client, ax, ay):
    return observer.result(client.send_goal_async(Tilt.Goal(ax=ax, ay=ay)))


def tilted(pose):
    q = pose.pose.orientation
    return 2 * np.arctan2(np.hypot(q.x, q.y), q.w)


def test_sawyer_tilts_stops_recovers_and_ends_with_its_side_process(sawyer):
    bus, graph, observer, client = sawyer
    # A whole tilt.
    handle = send(observer, client, 0.6, -0.8)
    assert handle.accepted
    result = observer.result(handle.get_result_async()).result
    assert result.success, result.reason
    poses = observer.heard["tray/pose"]
    assert max(map(tilted, poses)) == pytest.approx(0.45, abs=0.03)
    assert observer.heard["tray/joint_states"][-1].name[0] == "right_j0"
    observer.until(lambda: observer.heard["tilt"], 5.0)

    # An emergency stop in the middle of the next one.
    handle = send(observer, client, 1.0, 0.0)
    observer.spin(0.7)
    bus.robot.press()
    result = observer.result(handle.get_result_async()).result
    assert not result.success
    assert "emergency stop" in result.reason
    assert not send(observer, client, 0.5, 0.0).accepted
    observer.until(
        lambda: any(
            "emergency stop" in status.message
            for message in observer.heard["diagnostics"]
            for status in message.status
        ),
        5.0,
    )
    recover = observer.node.create_client(Trigger, "tray/recover")
    observer.until(recover.service_is_ready, 5.0)
    answer = observer.result(recover.call_async(Trigger.Request()))
    assert not answer.success
    assert "turn the button" in answer.message
    bus.robot.release()
    observer.spin(0.2)
    answer = observer.result(recover.call_async(Trigger.Request()), 20.0)
    assert answer.success, answer.message
    handle = send(observer, client, 0.0, 0.5)
    assert observer.result(handle.get_result_async()).result.success

    # Without its side process the node ends, and says why.
    side = int(next(pid for pid in children(graph.pids()["tray"])))
    os.kill(side, signal.SIGKILL)
    endings = []
    end = time.monotonic() + 10.0
    while not endings and time.monotonic() < end:
        endings = graph.poll()
        time.sleep(0.05)
    assert endings
    assert "side process" in last_words(graph.log_files()["tray"], 5)
    held = list(bus.robot.positions)
    time.sleep(0.3)
    assert bus.robot.positions == held


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123
        return file.read().split()
