from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pytest

from tiltbot_ros import topics
from tiltbot_ros.nodes import camera_publisher
from tiltbot_ros.nodes.camera_publisher import CameraPublisher
from tiltbot_ros.sensors.cameras import CameraIntrinsics, CameraSettings, RgbdFrame
from tiltbot_ros.sensors.image_codec import PackedImages, unpack

COLOR = np.full((24, 32, 3), (200, 100, 50), np.uint8)
DEPTH = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32)
NAMES = {topic.name for topic in (topics.COLOR_COMPRESSED, topics.DEPTH_COMPRESSED)}


class Outlets:
    """Stands for a node: keeps what is published, with so many listeners to each topic."""

    def __init__(self, listeners):
        self.listeners, self.sent = listeners, defaultdict(list)

    def create_publisher(self, _, name, *__, **___):
        return SimpleNamespace(
            publish=self.sent[name].append,
            get_subscription_count=lambda: self.listeners.get(name, 0),
        )


@pytest.fixture
def frame():
    intrinsics = CameraIntrinsics(width=32, height=24, k=np.eye(3), distortion=np.zeros(5))
    return RgbdFrame(stamp_ns=12 * 10**9, color=COLOR, depth=DEPTH, intrinsics=intrinsics)


def publisher(**listeners):
    node = Outlets({topics.COLOR_COMPRESSED.name: listeners.get("color", 0)})
    return node, CameraPublisher(node, settings=CameraSettings())


def test_nothing_is_compressed_while_nobody_listens(frame, monkeypatch):
    monkeypatch.setattr(camera_publisher, "pack", lambda *_, **__: pytest.fail("compressed"))
    node, camera = publisher()
    camera.publish(frame)
    assert len(node.sent[topics.COLOR.name]) == 1
    assert not any(node.sent[name] for name in NAMES)


def test_for_a_listener_both_images_are_compressed_with_the_stamp_of_the_raw_ones(frame):
    node, camera = publisher(color=1)
    camera.publish(frame)
    for topic, pixels, encoding in (
        (topics.COLOR_COMPRESSED, COLOR, "rgb8"),
        (topics.DEPTH_COMPRESSED, DEPTH, "16UC1"),
    ):
        (message,) = node.sent[topic.name]
        assert message.header == node.sent[topics.COLOR.name][0].header
        found, called = unpack(message.format, np.asarray(message.data))
        assert called == encoding
        assert np.abs(found.astype(int) - pixels).max() <= (2 if encoding == "rgb8" else 0)


def test_what_is_compressed_already_is_not_compressed_again(frame, monkeypatch):
    monkeypatch.setattr(camera_publisher, "pack", lambda *_, **__: pytest.fail("compressed"))
    node, camera = publisher(color=1)
    camera.publish(frame, PackedImages(color=b"jpeg", depth=None))
    (message,) = node.sent[topics.COLOR_COMPRESSED.name]
    assert bytes(message.data) == b"jpeg"
    assert not node.sent[topics.DEPTH_COMPRESSED.name]
