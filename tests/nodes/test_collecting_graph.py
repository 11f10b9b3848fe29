"""Collection, recording and faults, on real processes with a tray without physics."""

import os
import signal
import time

import pytest
from rclpy.action import ActionClient
from std_srvs.srv import SetBool

from tests.nodes import knocking
from tests.nodes.graphs import running
from tiltbot.action import CollectObject
from tiltbot.srv import LabelEpisode
from tiltbot_ros import topics
from tiltbot_ros.episodes.catalogue import list_episodes
from tiltbot_ros.episodes.reader import Episode

pytestmark = pytest.mark.graph
HEARD = [topics.EPISODE, topics.RECORDER_STATUS, topics.CONTACT, topics.DIAGNOSTICS]


def specs(folder, file, **recorder):
    return [
        knocking.tray(**knocking.quick_tilts()),
        knocking.microphones(file),
        knocking.contacts(),
        knocking.recorder(folder, **recorder),
        knocking.collect(**knocking.quick_tilts()),
    ]


@pytest.fixture
def knocks(tmp_path):
    return knocking.write_knocks(tmp_path / "knocks.wav", seconds=60.0, every_s=4.6)


def start_collecting(observer, graph, **goal):
    client = ActionClient(observer.node, CollectObject, "collect")
    observer.until(client.server_is_ready, 20.0, graph)
    # The server drops an answer to a client that it has not discovered in its turn.
    observer.spin(0.5)
    return observer.result(client.send_goal_async(CollectObject.Goal(**goal)))


def statuses(observer):
    return observer.heard[topics.RECORDER_STATUS.name]


def test_a_collection_ends_with_clean_episodes_that_name_object_and_tilt(
    ros_environment, tmp_path, knocks
):
    data = tmp_path / "data"
    with running(specs(data, knocks), tmp_path, topics=HEARD) as (graph, observer):
        handle = start_collecting(observer, graph, object="thing", episodes=2)
        assert handle.accepted
        result = observer.result(handle.get_result_async(), 60.0).result
        assert result.success, result.reason
        assert result.reason == "episodes"
        messages = observer.heard["episode"]
        numbers = range(1, len(messages) + 1)
        assert [message.id for message in messages] == [f"ep_{n:06d}" for n in numbers]
        # A knock between two tilts is an episode, too, but nothing explains it.
        clean = [message.id for message in messages if message.clean]
        assert len(clean) == 2

        label = observer.node.create_client(LabelEpisode, "recorder/label")
        observer.until(label.service_is_ready, 5.0)
        relabel = LabelEpisode.Request(operation=2, object="other", outcome="slid")
        assert observer.result(label.call_async(relabel)).success
        discard = LabelEpisode.Request(operation=1, id=clean[0])
        assert observer.result(label.call_async(discard)).success
        wrong = observer.result(label.call_async(LabelEpisode.Request(operation=1, id="ep_9")))
        assert not wrong.success
        assert "ep_000042" in wrong.message
    listed = list_episodes(data)
    assert clean[0] not in [entry.path.name for entry in listed]
    assert (data / "trash" / clean[0]).is_dir()
    last = Episode.open(listed[-1].path)
    assert last.facts.object == "other"
    assert last.facts.outcome == "slid"
    first = Episode.open(data / "trash" / clean[0])
    assert first.check().clean
    tilt = first.tilt()
    assert tilt is not None
    assert tilt.start_ns <= first.contact().stamp_ns + 2_000_000_000


def test_the_ready_gate_names_the_stream_that_never_comes(ros_environment, tmp_path, knocks):
    without_sound = [
        spec for spec in specs(tmp_path / "data", knocks) if spec.name != "microphones"
    ]
    without_sound[-1].parameters["collect.gate_timeout_s"] = 8.0
    with running(without_sound, tmp_path, topics=HEARD) as (graph, observer):
        handle = start_collecting(observer, graph, object="thing", episodes=1)
        result = observer.result(handle.get_result_async(), 30.0).result
    assert not result.success
    assert "/audio" in result.reason


@pytest.mark.parametrize("goal", [{"object": "thing"}, {"object": "", "episodes": 1}])
def test_a_collection_without_object_or_limit_is_refused(ros_environment, tmp_path, knocks, goal):
    with running([knocking.collect()], tmp_path, topics=HEARD) as (graph, observer):
        assert not start_collecting(observer, graph, **goal).accepted


def test_a_killed_recorder_loses_nothing_finished_and_goes_on_counting(
    ros_environment, tmp_path, knocks
):
    data = tmp_path / "data"
    streams = [knocking.tray(), knocking.microphones(knocks), knocking.contacts()]
    with running(streams, tmp_path, topics=HEARD) as (_, observer):
        found = 0
        for _ in range(2):
            observer.heard["episode"].clear()
            with running([knocking.recorder(data)], tmp_path) as (graph, _):
                observer.until(lambda: observer.heard["episode"], 75.0, graph)
                os.kill(graph.pids()["recorder"], signal.SIGKILL)
            listed = list_episodes(data)
            assert len(listed) > found
            found = len(listed)
            for entry in listed:
                Episode.open(entry.path).check()
    numbers = [int(entry.path.name.removeprefix("ep_")) for entry in listed]
    assert numbers == sorted(set(numbers))


def test_a_stalled_microphone_flags_the_episode_and_recovers(ros_environment, tmp_path, knocks):
    with running(
        [knocking.tray(), knocking.microphones(knocks), knocking.contacts(),
         knocking.recorder(tmp_path / "data")],
        tmp_path,
        topics=HEARD,
    ) as (graph, observer):  # fmt: skip
        observer.until(lambda: statuses(observer) and statuses(observer)[-1].ready, 20.0, graph)
        # An episode also needs the two seconds before its contact.
        observer.spin(2.5)
        observer.heard["contact"].clear()
        observer.heard["episode"].clear()
        observer.until(lambda: observer.heard["contact"], 20.0, graph)
        pid = graph.pids()["microphones"]
        os.kill(pid, signal.SIGSTOP)
        observer.spin(6.0)
        os.kill(pid, signal.SIGCONT)

        def flagged():
            return [episode for episode in observer.heard["episode"]
                    if any("/audio" in problem for problem in episode.problems)]  # fmt: skip

        observer.until(flagged, 20.0, graph)
        assert not flagged()[0].clean
        observer.heard["episode"].clear()
        observer.until(
            lambda: any(episode.clean or "tilt" in episode.problems[0]
                        for episode in observer.heard["episode"]), 30.0, graph
        )  # fmt: skip
        levels = {
            status.message
            for message in observer.heard["diagnostics"]
            for status in message.status
            if status.name.endswith("recorder")
        }
        assert any("stalled: /audio" in message for message in levels)


def test_a_sensor_that_is_killed_is_started_again(ros_environment, tmp_path, knocks):
    with running([knocking.microphones(knocks), knocking.contacts()], tmp_path, topics=HEARD) as (
        graph,
        observer,
    ):
        observer.until(lambda: observer.heard["contact"], 20.0, graph)
        os.kill(graph.pids()["microphones"], signal.SIGKILL)
        ended = []
        deadline = time.monotonic() + 20.0
        observer.heard["contact"].clear()
        while not observer.heard["contact"]:
            assert time.monotonic() < deadline
            ended += graph.poll()
            observer.spin(0.1)
    assert [(end.name, end.status, end.required) for end in ended] == [
        ("microphones", -signal.SIGKILL, False)
    ]


def test_a_paused_recorder_records_nothing(ros_environment, tmp_path, knocks):
    with running(
        [knocking.microphones(knocks), knocking.contacts(),
         knocking.recorder(tmp_path / "data", **{"session.tray_hz": 0.0})],
        tmp_path,
        topics=HEARD,
    ) as (graph, observer):  # fmt: skip
        pause = observer.node.create_client(SetBool, "recorder/pause")
        observer.until(pause.service_is_ready, 10.0, graph)
        assert observer.result(pause.call_async(SetBool.Request(data=True))).success
        observer.until(lambda: len(observer.heard["contact"]) >= 2, 25.0, graph)
        observer.spin(3.0)
        assert observer.heard["episode"] == []
        assert statuses(observer)[-1].paused


def test_two_rigs_run_side_by_side_in_namespaces(ros_environment, tmp_path, knocks):
    slow = knocking.write_knocks(tmp_path / "slow.wav", seconds=60.0, every_s=100.0)
    with (
        running([knocking.microphones(knocks), knocking.contacts()], tmp_path, topics=HEARD,
                namespace="/rig_a") as (graph, loud),
        running([knocking.microphones(slow), knocking.contacts()], tmp_path, topics=HEARD,
                namespace="/rig_b") as (_, quiet),
    ):  # fmt: skip
        loud.until(lambda: len(loud.heard["contact"]) >= 2, 25.0, graph)
        quiet.spin(0.5)
        assert len(quiet.heard["contact"]) <= 1
