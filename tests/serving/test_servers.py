"""The servers as real processes: goals answered, refused, cancelled; models exchanged."""

import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from geometry_msgs.msg import Point
from rclpy.action import ActionClient
from sensor_msgs.msg import Image

from policy_ros.nodes.model_server import BUSY
from policy_ros.serving.export import export
from policy_ros.serving.interaction import from_episode
from policy_ros.serving.served import ServedModel
from tests.nodes.graphs import running
from tests.serving import asking, served
from tiltbot.action import ClassifyObject, ForwardModel, InverseModel
from tiltbot.msg import Episode
from tiltbot.srv import LoadModel
from tiltbot_ros import topics
from tiltbot_ros.bringup import serve_graph
from tiltbot_ros.episodes.facts import EpisodeFacts
from tiltbot_ros.nodes.wiring import publisher, stamp
from tiltbot_ros.serving import ServingSettings

pytestmark = [pytest.mark.graph, pytest.mark.timeout(400)]

TYPES = {"inverse_model": InverseModel, "forward_model": ForwardModel,
         "classify_object": ClassifyObject}  # fmt: skip


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Set a domain of its own for all tests of this module."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("ros")
        for name, value in {
            "ROS_DOMAIN_ID": "101",
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
            "ROS_HOME": str(home),
            "ROS_LOG_DIR": str(home / "log"),
            "OMP_NUM_THREADS": "1",
        }.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def graph(environment, exported, tmp_path_factory):
    """Serve all roles and the live evaluation; return supervisor, observer and clients."""
    specs = serve_graph(
        served.rig(), checkpoints=exported, settings=ServingSettings(backend="onnx")
    )
    logs = tmp_path_factory.mktemp("logs")
    with running(specs, logs, topics=[topics.EVALUATION, topics.DIAGNOSTICS]) as (nodes, observer):
        clients = {
            name: ActionClient(observer.node, action, name) for name, action in TYPES.items()
        }
        observer.until(
            lambda: all(client.server_is_ready() for client in clients.values()), 60.0, nodes
        )
        yield nodes, observer, clients


def ask(graph, name, **fields):
    """Send a goal; return its status, its result and the phases it told."""
    _, observer, clients = graph
    return asking.ask(observer, clients[name], TYPES[name].Goal(**fields))


def test_an_episode_and_its_sound_and_picture_get_the_offline_answer(graph, episodes, exported):
    offline = ServedModel.open(
        exported["inverse"], "inverse", served.facts(), ServingSettings(), backend="onnx"
    )
    path = episodes[0]
    expected = offline.inverse(offline.of_episode(path.as_uri()))
    for goal in ({"episode_uri": path.as_uri()}, asking.interaction(path)):
        status, result, phases = ask(graph, "inverse_model", **goal)
        assert status == GoalStatus.STATUS_SUCCEEDED
        assert result.success
        assert (result.ax, result.ay) == tuple(expected.action)
        assert (result.rotation.x, result.rotation.y) == tuple(expected.rotation)
        assert result.model == offline.contract.signature
        assert 0.0 < result.latency_s < 10.0
        assert phases == [p for p in ("reading", "spectrogram", "inference") if p in phases]


def test_an_object_is_named_and_a_location_predicted(graph, episodes, exported):
    path = episodes[0]
    sound = {"audio": asking.audio_messages(path)}
    _, result, _ = ask(graph, "classify_object", **sound)
    assert sorted(result.names) == sorted(served.CLASSES)
    assert sum(result.probabilities) == pytest.approx(1.0, abs=1e-5)
    _, result, _ = ask(
        graph, "forward_model", **sound, location=Point(x=0.02, y=-0.1), ax=0.3, ay=-0.5
    )
    assert result.success, result.reason
    forward = ServedModel.open(
        exported["forward"], "forward", served.facts(), ServingSettings(), backend="onnx"
    )
    sample = forward.of_episode(path.as_uri())
    near = forward.forward(sample, np.array([0.02, -0.1]), np.array([0.3, -0.5]))
    np.testing.assert_allclose([result.location.x, result.location.y], near, atol=0.02)


def one_channel(goal):
    for message in goal["audio"]:
        message.channels = 1
        message.data16 = message.data16[::4]


def another_rate(goal):
    for message in goal["audio"]:
        message.sample_rate = 32_000


def silence(goal):
    for message in goal["audio"]:
        message.data16 = [0] * len(message.data16)


def clip(goal):
    for message in goal["audio"]:
        loud = np.clip(np.frombuffer(message.data16, np.int16).astype(int) * 900, -32768, 32767)
        message.data16 = loud.astype(np.int16).tolist()


def no_picture(goal):
    goal["before"] = Image(encoding="rgb8")


def short_picture(goal):
    goal["before"].data = goal["before"].data[:-100]


def hole(goal):
    del goal["audio"][100]


def wrong_bits(goal):
    goal["audio"][3].bits = 12


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (one_channel, "expected sound of 4 microphones, as the rig says, got 1"),
        (another_rate, "expected sound of 44100 Hz, as the rig says, got 32000 Hz"),
        (silence, "it is silent"),
        (clip, "it is clipped"),
        (hole, "without a hole"),
        (wrong_bits, "16 or 24 bits"),
        (no_picture, "expected a colour image rgb8 with pixels"),
        (short_picture, "bytes in all"),
        (dict.clear, "got neither"),
    ],
)
def test_bad_input_is_answered_with_the_reason_and_the_server_stays(spoil, reason, graph, episodes):
    goal = asking.interaction(episodes[0])
    spoil(goal)
    if "before" not in goal:
        goal["before"] = asking.image_message(served.before_of(episodes[0]))
    status, result, _ = ask(graph, "inverse_model", **goal)
    assert status == GoalStatus.STATUS_ABORTED
    assert not result.success
    assert reason in result.reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"location": Point(x=0.2)}, "expected a location on the tray"),
        ({"location": Point(x=math.nan)}, "expected a location on the tray"),
        ({"ax": math.nan}, "ax and ay in [-1, 1]"),
        ({"episode_uri": "file:///nowhere/ep_000001"}, "found none"),
    ],
)
def test_bad_states_are_answered_with_the_reason(fields, reason, graph, episodes):
    goal = {"episode_uri": episodes[0].as_uri(), **fields}
    status, result, _ = ask(graph, "forward_model", **goal)
    assert status == GoalStatus.STATUS_ABORTED
    assert reason in result.reason


def test_goals_that_come_while_another_is_answered_hear_so(graph, episodes):
    _, observer, clients = graph
    goal = InverseModel.Goal(episode_uri=episodes[0].as_uri())
    sent = [clients["inverse_model"].send_goal_async(goal) for _ in range(8)]
    results = [
        observer.result(observer.result(future, 20.0).get_result_async(), 20.0).result
        for future in sent
    ]
    assert any(result.success for result in results)
    refused = [result.reason for result in results if not result.success]
    assert set(refused) == {BUSY}
    assert ask(graph, "inverse_model", episode_uri=episodes[0].as_uri())[1].success


def cut_short(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-64])


class Bomb:
    def __reduce__(self):
        return Path.touch, (Path("/tmp/tiltbot-was-here"),)  # noqa: S108


def hostile(folder):
    (folder / "model.safetensors").write_bytes(pickle.dumps(Bomb()))


def other_contract(folder):
    served.make_checkpoint(folder, max_tilt_rad=0.1)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (cut_short, "cut short or changed"),
        (hostile, "cut short or changed"),
        (other_contract, "an action of 1 is 0.1 rad to it"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_is_refused_and_the_old_one_stays(
    spoil, reason, graph, episodes, exported, tmp_path
):
    nodes, observer, _ = graph
    folder = tmp_path / "model"
    contract = served.make_checkpoint(folder)
    spoil(folder)
    load = observer.node.create_client(LoadModel, "inverse_model/load_model")
    observer.until(load.service_is_ready, 10.0, nodes)
    answer = observer.result(load.call_async(LoadModel.Request(checkpoint=str(folder))), 60.0)
    assert not answer.success
    assert reason in answer.message
    assert answer.model == contract.signature
    assert ask(graph, "inverse_model", episode_uri=episodes[0].as_uri())[1].success
    assert not Path("/tmp/tiltbot-was-here").exists()  # noqa: S108


def test_another_model_is_served_from_the_next_goal_on(graph, episodes, exported, tmp_path):
    nodes, observer, _ = graph
    contract = served.make_checkpoint(tmp_path / "inverse", "inverse")
    export(tmp_path / "inverse")
    load = observer.node.create_client(LoadModel, "inverse_model/load_model")
    observer.until(load.service_is_ready, 10.0, nodes)

    def serve(folder):
        return observer.result(load.call_async(LoadModel.Request(checkpoint=str(folder))), 60.0)

    assert serve(tmp_path / "inverse").model == contract.signature
    result = ask(graph, "inverse_model", episode_uri=episodes[0].as_uri())[1]
    assert (result.success, result.model) == (True, contract.signature)
    assert serve(exported["inverse"]).success


def episode_message(path):
    facts = EpisodeFacts.read(path)
    message = Episode(id=path.name, uri=path.as_uri(), object=facts.object, clean=True)
    message.header.stamp = stamp(facts.finished_ns)
    return message


def test_live_errors_are_the_offline_errors_of_the_same_episodes(graph, episodes, exported):
    nodes, observer, _ = graph
    opened = {
        role: ServedModel.open(folder, role, served.facts(), ServingSettings(), backend="onnx")
        for role, folder in exported.items()
    }
    told = publisher(observer.node, topics.EPISODE)
    observer.until(lambda: told.get_subscription_count() > 0, 20.0, nodes)
    heard = observer.heard[topics.EVALUATION.name]
    for path in (*episodes, Path("/nowhere/ep_000009")):
        told.publish(
            episode_message(path) if path.exists() else Episode(id="gone", uri=path.as_uri())
        )
    observer.until(lambda: len(heard) >= len(episodes), 30.0, nodes)
    raws = [from_episode(path.as_uri()) for path in episodes]
    errors, locations = [], []
    for index, (message, raw) in enumerate(zip(heard, raws, strict=True)):
        true = raw.rotation / served.rig().tilt.max_tilt_rad
        action = opened["inverse"].inverse(opened["inverse"].sample(raw)).action
        assert (message.ax, message.ay) == tuple(action)
        np.testing.assert_allclose([message.true_ax, message.true_ay], true)
        errors.append(np.square(action - true).mean())
        assert (
            message.predicted_object
            == opened["classify"].classify(opened["classify"].sample(raw)).names[0]
        )
        if index == 0:
            assert math.isnan(message.location.x)
            assert "no episode of '025_mug' before this one" in message.left_out[0]
            continue
        former = opened["forward"].sample(raws[index - 1])
        place = opened["forward"].forward(former, raw.location_before, true)
        assert (message.location.x, message.location.y) == tuple(place)
        locations.append(np.abs(place - raw.location_after).mean() / 0.15)
    final = {one.name: one for one in heard[-1].statistics}
    assert final["inverse_mse"].count == len(episodes)
    assert final["inverse_mse"].mean == pytest.approx(np.mean(errors))
    assert final["inverse_mse"].deviation == pytest.approx(np.std(errors, ddof=1))
    assert final["location_l1"].mean == pytest.approx(np.mean(locations))
    assert final["object_accuracy"].count == len(episodes)
