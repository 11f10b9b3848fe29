"""Recordings played over real topics to real nodes."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from tests.episodes import streams
from tests.nodes.graphs import running, words
from tiltbot_ros import topics
from tiltbot_ros.bringup import replay_graph
from tiltbot_ros.episodes.cdr import header_stamp_ns, make_header
from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.episodes.offline import cut_bag
from tiltbot_ros.episodes.offline_session import CutOptions
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.image_forms import to_other_form
from tiltbot_ros.nodes.wiring import nanoseconds
from tiltbot_ros.replaying import ReplaySettings
from tiltbot_ros.rigs import Rig
from tiltbot_ros.share import executable_directory

pytestmark = pytest.mark.graph

RIG = Rig.model_validate({"name": "test", "arm": {"driver": "kinematic"}, "camera": None})
BLOCK = streams.BLOCK


REFERENCE = RecordedTopic(name="/tray/reference", type="geometry_msgs/msg/PoseStamped")
JOINTS = RecordedTopic(name="/tray/joint_states", type="sensor_msgs/msg/JointState")


def _joints(stamp_ns: int) -> bytes:
    return streams.serialise(
        "sensor_msgs/msg/JointState",
        header=make_header(stamp_ns, ""),
        name=["tray_x", "tray_y"],
        position=np.zeros(2),
        velocity=np.zeros(2),
        effort=np.zeros(0),
    )


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A bag of 11 s with two contacts, as `ros2 bag record` writes it on rig /lab."""
    path = tmp_path_factory.mktemp("recording") / "long"
    writer = Writer(path, version=9, storage_plugin=StoragePlugin.MCAP)
    with writer:
        connections = {
            topic.name: writer.add_connection(
                f"/lab{topic.name}",
                topic.type,
                typestore=typestore(),
                offered_qos_profiles=[topic.qos()],
            )
            for topic in (*streams.TOPICS, REFERENCE, JOINTS)
        }
        for event in streams.events(11.0, (3.0, 8.0)):
            writer.write(connections[event.topic], event.receive_ns, event.data)
            if event.topic == "/tray/pose":
                writer.write(connections[REFERENCE.name], event.receive_ns, event.data)
                joints = _joints(header_stamp_ns(event.data))
                writer.write(connections[JOINTS.name], event.receive_ns, joints)
    return path


@pytest.fixture(scope="module")
def cut(recording, tmp_path_factory):
    """The same bag cut offline, and the folder of its episodes."""
    folder = tmp_path_factory.mktemp("cut")
    return cut_bag(recording, folder, CutOptions()), folder


def _samples(contacts: list[HeardContact]) -> list[int]:
    return [contact.sample for contact in contacts]


@pytest.mark.parametrize("mode", [("kept", 2.0, "/rig_x"), ("shifted", 1.0, "")])
@pytest.mark.usefixtures("ros_environment")
def test_a_replayed_recording_segments_into_the_same_episodes(recording, cut, tmp_path: Path, mode):
    stamps, rate, namespace = mode
    offline, _ = cut
    out = tmp_path / "data"
    listened = [topics.CONTACT, topics.EPISODE, topics.AUDIO_INFO]
    replay = ReplaySettings(path=str(recording), stamps=stamps, rate=rate, linger_s=2.5)
    specs = replay_graph(RIG, replay=replay, out=out)
    ended = []
    with running(specs, tmp_path, topics=listened, namespace=namespace) as (graph, observer):
        observer.until(lambda: ended.extend(graph.poll()) or ended, 60.0, graph)
        observer.spin(0.5)
        assert [(end.name, end.status) for end in ended] == [("replay", 0)], words(graph)
    heard = observer.heard["contact"]
    assert [message.sample for message in heard] == _samples(offline.contacts)
    assert len(observer.heard["audio/info"]) == 1
    episodes = observer.heard["episode"]
    wanted = [outcome.facts for outcome in offline.outcomes]
    assert [message.contact.sample for message in episodes] == [f.contact.sample for f in wanted]
    for message, facts in zip(episodes, wanted, strict=True):
        episode = Episode.open(out / message.id)
        sound = episode.audio()
        assert abs(len(sound.samples) - 4 * streams.FORMAT.sample_rate) <= 2 * BLOCK
        assert sound.missing == 0
        if stamps == "kept":
            assert nanoseconds(message.contact.header.stamp) == facts.contact.stamp_ns
            assert episode.facts.tilt == facts.tilt


@pytest.mark.usefixtures("ros_environment")
def test_shifted_messages_are_of_now(recording, tmp_path: Path):
    specs = replay_graph(
        RIG, replay=ReplaySettings(path=str(recording), wait_for=["observer"]), listen=False
    )
    listened = [topics.AUDIO, topics.CONTACT, topics.COLOR]
    with running(specs, tmp_path, topics=listened) as (graph, observer):
        observer.until(lambda: len(observer.heard["audio"]) > 200, 30.0, graph)
        now_ns = time.time_ns()
    for name in ("audio", "camera/color/image_raw"):
        newest = observer.heard[name][-1]
        assert abs(now_ns - nanoseconds(newest.header.stamp)) < 1_500_000_000
    first = [message.first_sample for message in observer.heard["audio"]]
    assert first == list(range(0, BLOCK * len(first), BLOCK)), "the first blocks were lost"


def _run(*parameters):
    arguments = [part for text in parameters for part in ("-p", text)]
    return subprocess.run(
        [sys.executable, executable_directory() / "replay_node", "--ros-args", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.usefixtures("ros_environment")
def test_what_is_not_there_is_named(tmp_path):
    absent = _run(f"replay.path:={tmp_path / 'absent'}")
    assert absent.returncode == 2
    assert str(tmp_path / "absent") in absent.stderr
    unsaid = _run("replay.rate:=1.0")
    assert unsaid.returncode == 2
    assert "replay.path" in unsaid.stderr


@pytest.mark.usefixtures("ros_environment")
def test_a_broken_episode_is_left_out_and_the_exit_status_tells(cut, tmp_path):
    _, folder = cut
    copy = tmp_path / "data"
    shutil.copytree(folder, copy)
    bag = next((copy / "ep_000001").glob("*.mcap"))
    bag.write_bytes(bag.read_bytes()[:-5000])
    ended = _run(
        f"replay.path:={copy}",
        "replay.rate:=10.0",
        "replay.delay_s:=0.0",
        "replay.linger_s:=0.0",
    )
    assert ended.returncode == 1
    assert "ep_000001" in ended.stderr
    assert "ep_000002" in ended.stderr
    assert "1 of 2 recordings could not be read" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A bag of 3 s whose pictures are compressed."""
    path = tmp_path_factory.mktemp("packed") / "bag"
    kinds = (topics.COLOR_COMPRESSED, topics.AUDIO)
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        to = {
            topic.name: writer.add_connection(f"/{topic.name}", topic.type, typestore=typestore())
            for topic in kinds
        }
        for event in streams.events(3.0, ()):
            if event.topic == "/audio":
                writer.write(to["audio"], event.receive_ns, event.data)
            elif event.topic == f"/{topics.COLOR.name}":
                data = to_other_form(topics.COLOR, event.data)
                writer.write(to[topics.COLOR_COMPRESSED.name], event.receive_ns, data)
    return path


@pytest.mark.usefixtures("ros_environment")
def test_compressed_pictures_are_played_raw_to_who_listens_to_raw_ones(packed, tmp_path: Path):
    replay = ReplaySettings(path=str(packed), wait_for=["observer"])
    specs = replay_graph(RIG, replay=replay, listen=False)
    listened = [topics.COLOR, topics.COLOR_COMPRESSED]
    with running(specs, tmp_path, topics=listened) as (graph, observer):
        observer.until(lambda: len(observer.heard[topics.COLOR.name]) >= 12, 30.0, graph)
    raw, compressed = (observer.heard[topic.name] for topic in listened)
    assert raw[0].header.stamp == compressed[0].header.stamp
    assert (raw[0].encoding, raw[0].height, raw[0].width) == ("rgb8", 24, 32)
    # Picture i has the grey value i.
    assert [round(float(np.mean(image.data))) for image in raw[:12]] == list(range(12))
