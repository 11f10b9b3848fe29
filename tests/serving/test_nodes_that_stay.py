"""What would end a node's thread does not: bad models, bad episodes, a goal cancelled late."""

import threading

import pytest
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient

from policy_ros.nodes.live_evaluation_node import LiveEvaluationNode
from policy_ros.nodes.model_server import ModelServerNode
from tests.serving import served
from tests.serving.in_process import in_this_process
from tiltbot.action import InverseModel
from tiltbot.msg import Episode
from tiltbot_ros import topics
from tiltbot_ros.nodes.wiring import publisher

pytestmark = pytest.mark.graph

RIG = f"rig.max_tilt_rad:={served.rig().tilt.max_tilt_rad}"


def living(make, *parameters):
    """Run a node and an observer of evaluations in this process."""
    words = [word for parameter in parameters for word in ("-p", parameter)]
    return in_this_process(make, words, topics=[topics.EVALUATION, topics.DIAGNOSTICS])


def test_live_evaluation_judges_by_the_models_that_can_be_used(
    ros_environment, checkpoint, episodes, tmp_path
):
    served.make_checkpoint(tmp_path / "short")
    weights = tmp_path / "short" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-64])
    with living(
        LiveEvaluationNode,
        RIG,
        f"live.inverse:={checkpoint}",
        f"live.classify:={tmp_path / 'short'}",
        f"live.forward:={checkpoint}",
        "live.backend:=torch",
    ) as (_, observer):
        told = publisher(observer.node, topics.EPISODE)
        observer.until(lambda: told.get_subscription_count() > 0, 20.0)
        for uri in ("file://[", "file:///nowhere/ep_000007", episodes[0].as_uri()):
            told.publish(Episode(id="ep", uri=uri))
        evaluations = observer.heard[topics.EVALUATION.name]
        observer.until(lambda: evaluations, 20.0)
        diagnostics = observer.heard[topics.DIAGNOSTICS.name]
        diagnostics.clear()
        observer.until(lambda: diagnostics, 10.0)
    (evaluation,) = evaluations
    assert -1.0 <= evaluation.ax <= 1.0
    assert [one.name for one in evaluation.statistics] == ["inverse_mse"]
    forward, classify = sorted(evaluation.left_out, reverse=True)
    assert "forward: no model is judged: the model 'multitask'" in forward
    assert "classify: no model is judged" in classify
    assert "cut short or changed" in classify
    status = diagnostics[-1].status[0]
    assert status.level == b"\x02"
    assert "no model is judged" in status.message
    values = {pair.key: pair.value for pair in status.values}
    assert (values["judged"], values["unreadable"]) == ("1", "2")


def test_a_goal_cancelled_while_the_model_answers_is_cancelled_and_the_next_answered(
    ros_environment, checkpoint
):
    begun, go_on = threading.Event(), threading.Event()

    def slow(_model, _request, tell):
        tell("inference")
        begun.set()
        assert go_on.wait(20.0)
        return InverseModel.Result()

    def make(fault):
        return ModelServerNode(fault, role="inverse", action_type=InverseModel, answer=slow)

    with living(make, RIG, f"serving.checkpoint:={checkpoint}", "serving.backend:=torch") as (
        node,
        observer,
    ):
        # Whatever is wrong with an episode, reading it ahead ends nothing.
        node._tasks.put("file://[")
        client = ActionClient(observer.node, InverseModel, "inverse_model")
        observer.until(client.server_is_ready, 20.0)
        handle = observer.result(client.send_goal_async(InverseModel.Goal()))
        observer.until(begun.is_set, 10.0)
        observer.result(handle.cancel_goal_async())
        go_on.set()
        answer = observer.result(handle.get_result_async())
        assert answer.status == GoalStatus.STATUS_CANCELED
        assert (answer.result.success, answer.result.reason) == (False, "cancelled")
        handle = observer.result(client.send_goal_async(InverseModel.Goal()))
        assert observer.result(handle.get_result_async()).result.success
