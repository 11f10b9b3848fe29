"""What a server does with goals, with a model that is slow or broken, in this process."""

import contextlib
import threading

import pytest
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient

from policy_ros.nodes.model_server import BUSY, ModelServerNode
from tests.serving import asking, served
from tests.serving.in_process import in_this_process
from tiltbot.action import InverseModel

pytestmark = [pytest.mark.graph, pytest.mark.timeout(400)]


@contextlib.contextmanager
def server(arguments, answer):
    def make(fault):
        return ModelServerNode(fault, role="inverse", action_type=InverseModel, answer=answer)

    with in_this_process(make, arguments) as (_, observer):
        client = ActionClient(observer.node, InverseModel, "inverse_model")
        observer.until(client.server_is_ready, 20.0)
        yield observer, client


def served_by(folder):
    return ["-p", f"serving.checkpoint:={folder}", "-p", "serving.backend:=onnx"]


def test_a_goal_is_cancelled_between_two_phases(ros_environment, exported):
    begun, go_on = threading.Event(), threading.Event()

    def slow(_model, _request, tell):
        begun.set()
        assert go_on.wait(20.0)
        tell("inference")
        return InverseModel.Result()

    tilt = ["-p", f"rig.max_tilt_rad:={served.rig().tilt.max_tilt_rad}"]
    with server([*served_by(exported["inverse"]), *tilt], slow) as (observer, client):
        handle = observer.result(client.send_goal_async(InverseModel.Goal()))
        observer.until(begun.is_set, 10.0)
        status, result, _ = asking.ask(observer, client, InverseModel.Goal())
        assert (status, result.reason) == (GoalStatus.STATUS_ABORTED, BUSY)
        observer.result(handle.cancel_goal_async())
        go_on.set()
        answer = observer.result(handle.get_result_async())
        assert answer.status == GoalStatus.STATUS_CANCELED
        assert answer.result.reason == "cancelled"
        assert asking.ask(observer, client, InverseModel.Goal())[1].success


def test_a_server_without_a_usable_model_says_why_to_every_goal(ros_environment, tmp_path):
    def never(*_):
        raise AssertionError

    with server(served_by(tmp_path / "nothing"), never) as (observer, client):
        status, result, _ = asking.ask(observer, client, InverseModel.Goal())
        assert status == GoalStatus.STATUS_ABORTED
        assert "no model is served: expected a checkpoint" in result.reason


def test_an_answer_that_fails_in_an_unknown_way_ends_the_goal_alone(ros_environment, exported):
    def broken(_model, request, _tell):
        if request.episode_uri:
            raise ZeroDivisionError
        return InverseModel.Result()

    tilt = ["-p", f"rig.max_tilt_rad:={served.rig().tilt.max_tilt_rad}"]
    with server([*served_by(exported["inverse"]), *tilt], broken) as (observer, client):
        result = asking.ask(observer, client, InverseModel.Goal(episode_uri="x"))[1]
        assert result.reason == "the goal could not be answered: ZeroDivisionError"
        assert asking.ask(observer, client, InverseModel.Goal())[1].success
