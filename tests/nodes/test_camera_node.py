"""The camera node with a recording of a RealSense, and a rig whose webcam has no depth."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import yaml

from tests.emulators.software_realsense import SoftwareRealSense, color_of, evenly
from tests.nodes import knocking
from tests.nodes.graphs import running
from tiltbot_ros import bringup, topics
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.nodes.wiring import nanoseconds
from tiltbot_ros.rigs import load_rig

pytestmark = pytest.mark.graph
STREAMS = [topics.COLOR, topics.DEPTH, topics.CAMERA_INFO]


def rig_of(tmp_path, **groups):
    file = tmp_path / "lab.yaml"
    file.write_text(yaml.safe_dump({"arm": {"driver": "kinematic"}, **groups}))
    return load_rig(str(file))


def camera_of(rig, tmp_path):
    specs = bringup.collect_graph(rig, out=tmp_path / "data")
    return next(spec for spec in specs if spec.name == "camera")


def test_a_recording_of_a_realsense_reaches_the_topics_and_the_diagnostics(
    ros_environment, tmp_path
):
    shots = evenly(30, 30.0)
    del shots[12:15]
    path = SoftwareRealSense().record(tmp_path / "a.db3", shots, pause_s=1 / 30)
    camera = {"source": "realsense", "path": str(path), "width": 64, "height": 48, "loop": True}
    rig = rig_of(tmp_path, camera={**camera, "rate_hz": 15.0})
    heard = [*STREAMS, topics.DIAGNOSTICS]
    with running([camera_of(rig, tmp_path)], tmp_path, topics=heard) as (graph, observer):
        observer.until(lambda: len(observer.heard[topics.COLOR.name]) >= 20, 30.0, graph)
        observer.until(lambda: len(observer.heard[topics.DIAGNOSTICS.name]) >= 2, 10.0, graph)
    colors, depths, infos = (observer.heard[topic.name] for topic in STREAMS)
    stamps = {nanoseconds(message.header.stamp) for message in colors[:15]}
    assert len(stamps) == 15
    assert stamps <= {nanoseconds(message.header.stamp) for message in depths}
    assert stamps <= {nanoseconds(message.header.stamp) for message in infos}
    known = {color_of(number) for number in range(100, 130)}
    assert (colors[0].width, colors[0].height, colors[0].encoding) == (64, 48, "rgb8")
    assert {tuple(message.data[:3]) for message in colors} <= known
    assert (depths[0].encoding, infos[0].k[0], infos[0].k[2]) == ("16UC1", 60.0, 31.5)
    assert set(np.frombuffer(depths[0].data, np.uint16)) == {0, 400, 800}
    status = observer.heard[topics.DIAGNOSTICS.name][-1].status[0]
    values = {value.key: value.value for value in status.values}
    assert values["stream"].startswith("Software D435 77: colour 64 x 48 at 30 Hz")
    assert int(values["dropped"]) >= 3
    assert int(values["frames"]) > 0
    assert {"misses", "reconnects", "restamped", "clock steps", "without depth"} <= set(values)


def test_a_rig_with_a_webcam_records_clean_episodes_without_depth(ros_environment, tmp_path):
    video = tmp_path / "webcam.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 6.0, (64, 48))
    for level in range(0, 240, 2):
        writer.write(np.full((48, 64, 3), (level, 0, 40), np.uint8))
    writer.release()
    knocks = knocking.write_knocks(tmp_path / "knocks.wav", seconds=60.0, every_s=4.6)
    rig = rig_of(
        tmp_path,
        camera={"source": "uvc", "path": str(video), "width": 64, "height": 48, "loop": True},
        microphones={"source": "file", "path": str(knocks), "loop": True},
        writer={"disk_floor_bytes": 1_000_000},
    )
    specs = bringup.collect_graph(rig, out=tmp_path / "data")
    assert "tracker" not in {spec.name for spec in specs}
    # Without a goal the collector pauses the recorder; with an object it records what it hears.
    recorder = bringup.recorder(rig, out=tmp_path / "data", object_name="thing")
    recorder = replace(recorder, parameters={**recorder.parameters, "session.tray_hz": 0.0})
    kept = {"camera", "microphones", "contacts"}
    specs = [recorder, *(spec for spec in specs if spec.name in kept)]
    with running(specs, tmp_path, topics=[topics.EPISODE]) as (graph, observer):
        observer.until(lambda: observer.heard["episode"], 90.0, graph)
    message = observer.heard["episode"][0]
    assert message.clean, message.problems
    episode = Episode.open(tmp_path / "data" / message.id)
    expected = {topic.name.lstrip("/") for topic in episode.constant.topics}
    assert topics.COLOR.name in expected
    assert not {topics.DEPTH.name, topics.OBJECT_LOCATION.name} & expected
    images = episode.images(topics.COLOR.name)
    assert len(images.frames) == pytest.approx(24, abs=2)
    assert images.frames[0].shape == (48, 64, 3)
