import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "commands"))

import whole_episodes as rig

from policy_ros.data.exporters.groups import export
from policy_ros.data.exporters.lerobot import LeRobotFormat, LeRobotSettings
from policy_ros.data.exporters.selection import select_episodes
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.moments import before_and_after
from tiltbot_ros.episodes.writer import EpisodeWriter, WriterSettings
from tiltbot_ros.generating.messages import compressed_message
from tiltbot_ros.sensors.image_codec import COLOR_FORMAT, pack_color

OBJECTS = ("mug", "banana", "mug")
ACTIONS = ((0.6, 0.3), (-0.2, 0.7), (0.1, -0.9))


def wanted():
    """Return what the episodes of these tests are like."""
    return [
        rig.Wanted(object=name, action=action, contact_ns=rig.EPOCH_NS + i * 20 * rig.NS)
        for i, (name, action) in enumerate(zip(OBJECTS, ACTIONS, strict=True))
    ]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory) -> Path:
    """Return a folder with three clean episodes of 24 pictures each."""
    folder = tmp_path_factory.mktemp("recorded")
    rig.write(folder, *wanted())
    return folder


@pytest.fixture(scope="session")
def moments(tmp_path_factory) -> Path:
    """Return a folder with three episodes of two compressed pictures each."""
    folder = tmp_path_factory.mktemp("moments")
    packed = f"/{rig.COLOR}/compressed"
    facts = rig.constant()
    topics = tuple(
        replace(
            topic,
            name=packed,
            type="sensor_msgs/msg/CompressedImage",
            expected_hz=0.0,
            moments_hz=6.0,
        )
        if topic.name == f"/{rig.COLOR}"
        else topic
        for topic in facts.topics
    )
    data = DataFolder(folder)
    writer = EpisodeWriter(
        data,
        replace(facts, topics=topics),
        WriterSettings(disk_floor_bytes=0),
        lambda: rig.EPOCH_NS,
        wait_when_full=True,
    )
    for one in wanted():
        content = rig.content(one)
        pictures = content.messages[f"/{rig.COLOR}"]
        begin = one.contact_ns - 8 * rig.NS // 10
        motion = rig.TiltMotion(one.action, rig.TiltSettings())
        chosen = before_and_after(
            [picture.stamp_ns for picture in pictures],
            tilt_start_ns=begin,
            tilt_end_ns=begin + round(motion.duration_s * rig.NS),
        )
        messages = {k: v for k, v in content.messages.items() if k != f"/{rig.COLOR}"}
        messages[packed] = tuple(
            replace(pictures[i], data=_packed(pictures[i].data, pictures[i].stamp_ns))
            for i in chosen
        )
        writer.submit(replace(content, messages=messages))
    assert len(writer.close()) == len(OBJECTS)
    data.close()
    return folder


def _packed(data: bytes, stamp_ns: int) -> bytes:
    image = rig.typestore().deserialize_cdr(data, "sensor_msgs/msg/Image")
    pixels = image.data.reshape(image.height, image.width, 3)
    jpeg = pack_color(pixels, jpeg_quality=90)
    return compressed_message(jpeg, COLOR_FORMAT, stamp_ns=stamp_ns, frame="camera")


@pytest.fixture(scope="session")
def dataset(recorded, tmp_path_factory) -> Path:
    """Return those episodes as a LeRobot dataset."""
    out = tmp_path_factory.mktemp("lerobot") / "dataset"
    export(LeRobotFormat(LeRobotSettings()), select_episodes([recorded]).episodes, out)
    return out
