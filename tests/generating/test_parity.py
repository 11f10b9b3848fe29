"""What is generated is what the live nodes say of the same world.

The live world node's own loop is run here, without a middleware and without
waiting, with the batch's seed, its object placed and its tilts begun at the
same blocks; what its publishers, the contact node and the tracker node
publish is caught and held against the generated bags.
"""

from collections import defaultdict
from queue import SimpleQueue
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
import quick
from rclpy.serialization import serialize_message

from tiltbot_ros import topics
from tiltbot_ros.arms.simulated import SimulatedTray
from tiltbot_ros.episodes.catalogue import list_episodes
from tiltbot_ros.episodes.cdr import header_stamp_ns
from tiltbot_ros.episodes.contacts import read_contact
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.nodes import (
    audio_publisher,
    camera_publisher,
    contact_node,
    tracker_node,
    tray_server,
    world_node,
)
from tiltbot_ros.sensors.cameras import CameraIntrinsics
from tiltbot_ros.worlds.camera import PictureSettings, TrayCamera
from tiltbot_ros.worlds.objects import ObjectCatalogue
from tiltbot_ros.worlds.tray import TrayWorld

BLOCK_NS = 10_000_000


class Caught:
    """Stands for a publisher: keeps what is published, serialised as rclpy does."""

    def __init__(self, topic, kept, listeners):
        self.topic, self.kept, self.listeners = topic, kept, listeners

    def get_subscription_count(self):
        return 0

    def publish(self, message):
        data = serialize_message(message)
        if self.topic is topics.TRAY_JOINTS:  # 4 bytes after the empty last array; not on the wire
            data = data[:-4]
        self.kept[f"/{self.topic.name}"].append(data)
        for listener in self.listeners[self.topic.name]:
            listener(message, data)


class Eye:
    """Stands for the camera's process: paints at once."""

    def __init__(self, world, settings):
        self.camera = TrayCamera(world, settings)
        self.intrinsics, self.pose_in_tray = self.camera.intrinsics, self.camera.pose_in_tray
        self.picture = None

    def request(self, *, pack):
        self.picture = self.camera.render()
        return True

    def fetch(self):
        picture, self.picture = self.picture, None
        return picture


class Goal:
    """Stands for an accepted goal of the action `tilt`."""

    is_cancel_requested = False

    def __init__(self, ax, ay):
        self.request = SimpleNamespace(ax=ax, ay=ay)

    def publish_feedback(self, feedback): ...

    def execute(self, conclude): ...


def live(monkeypatch, rig, batch, *, placed_at, tilts, blocks):
    """Run the live nodes' code; return the raw messages by topic.

    Args:
        placed_at: block at which the object is placed.
        tilts: (ax, ay) by the block at which a tilt begins.
        blocks: how many to run.
    """
    kept, listeners = defaultdict(list), defaultdict(list)
    for module in (audio_publisher, camera_publisher, tray_server):
        monkeypatch.setattr(module, "publisher", lambda _, t: Caught(t, kept, listeners))
    monkeypatch.setattr(tray_server, "ActionServer", lambda *_, **__: None)
    catalogue = ObjectCatalogue.load()
    world = TrayWorld(rig.world, seed=batch.world_seed, sound=rig.sound, catalogue=catalogue)
    now = SimpleNamespace(nanoseconds=batch.start_ns)
    node = world_node.WorldNode.__new__(world_node.WorldNode)
    node.get_clock = lambda: SimpleNamespace(now=lambda: now)
    node._arm, node._microphones, node._camera = rig.arm, rig.microphones, rig.camera
    world.place(None)
    node._world, node._driver = world, SimulatedTray(world)
    node._tray = tray_server.TrayServer(
        None, node._driver, tilt=rig.tilt, follow=rig.follow, rate_hz=rig.arm.rate_hz,
        frame=rig.arm.frame_id,
    )  # fmt: skip
    node._sound = audio_publisher.AudioPublisher(
        None, audio_format=rig.microphones.audio_format, frame=rig.microphones.frame_id
    )
    node._images = camera_publisher.CameraPublisher(None, settings=rig.camera)
    node._wishes, node._stop = SimpleQueue(), Event()
    picture = PictureSettings(
        width=rig.camera.width, height=rig.camera.height, **rig.view.model_dump()
    )
    node._eye = Eye(world, picture)
    node._intrinsics = CameraIntrinsics(
        width=picture.width, height=picture.height, k=node._eye.intrinsics, distortion=np.zeros(5)
    )
    node._image_stamp_ns = node._images_left_out = 0

    class Hurry:
        """Stands for the pacer: never waits, and does what the collect node would."""

        block = 0

        def __init__(self, **_): ...

        def wait(self):
            Hurry.block += 1
            now.nanoseconds += BLOCK_NS
            if Hurry.block == placed_at:
                node._wishes.put(catalogue.get(batch.object))
            if Hurry.block in tilts:
                node._tray._begin(Goal(*tilts[Hurry.block]))
            if Hurry.block == blocks:
                node._stop.set()
            return 0

    monkeypatch.setattr(world_node, "Pacer", Hurry)
    # What it does to its process for good must not be done to this one.
    unmoved = SimpleNamespace(
        collect=lambda: None, freeze=lambda: None, setswitchinterval=lambda _: None
    )
    monkeypatch.setattr(world_node, "gc", unmoved)
    monkeypatch.setattr(world_node, "sys", unmoved)
    ears = contact_node.ContactNode.__new__(contact_node.ContactNode)
    ears._settings, ears._detector, ears._frames = rig.detector, None, []
    ears._heard = ears._blocks = 0
    ears.get_logger = lambda: SimpleNamespace(info=lambda _: None)
    ears._contacts = Caught(topics.CONTACT, kept, listeners)
    listeners["audio/info"].append(lambda message, _: ears._on_info(message))
    listeners["audio"].append(lambda _, data: ears._on_audio(data))
    eyes = tracker_node.TrackerNode.__new__(tracker_node.TrackerNode)
    eyes._settings, eyes._tracker, eyes._level = rig.tracker, None, True
    eyes._pairs = eyes._found = 0
    eyes._locations = Caught(topics.OBJECT_LOCATION, kept, listeners)
    images = {}
    listeners["camera/pose"].append(lambda message, _: eyes._on_camera_pose(message))
    listeners["tray/pose"].append(lambda message, _: eyes._on_tray_pose(message))
    listeners[topics.COLOR.name].append(lambda message, _: images.update(color=message))
    listeners[topics.DEPTH.name].append(lambda message, _: images.update(depth=message))

    def pair(info, _):
        eyes._on_info(info)
        eyes._on_pair(images["color"], images["depth"])

    listeners[topics.CAMERA_INFO.name].append(pair)
    node._images.publish_pose(node._eye.pose_in_tray, parent="tray", stamp_ns=now.nanoseconds)
    node._run_world()
    node._eye.camera.close()
    return kept


@pytest.fixture
def both(monkeypatch, generated):
    """Return the first object's episodes and what the live nodes say of the same world."""
    rig, batch = quick.rig(), quick.plan().batches()[0]
    episodes = [Episode.open(e.path) for e in list_episodes(generated)][: batch.episodes]
    tilts = {}
    for episode in episodes:
        tilt = episode.tilt()
        tilts[(tilt.start_ns - batch.start_ns) // BLOCK_NS] = (tilt.ax, tilt.ay)
    learnt = rig.tracker.learn_frames
    # A picture shows the end of the block in which it falls due.
    period = round(rig.microphones.sample_rate_hz / rig.camera.rate_hz)
    placed_at = -(-(learnt - 1) * period // rig.microphones.block_frames) + 1
    end_ns = max(episodes[-1].facts.end_ns, episodes[-1].tilt().end_ns)
    blocks = (end_ns - batch.start_ns) // BLOCK_NS + 40
    said = live(monkeypatch, rig, batch, placed_at=placed_at, tilts=tilts, blocks=blocks)
    return episodes, said


def plain(data, msgtype):
    """Return a message with all padding at zero, and NaN like NaN."""
    store = typestore()
    return bytes(store.serialize_cdr(store.deserialize_cdr(data, msgtype), msgtype))


def test_generated_messages_are_those_of_the_live_nodes_field_by_field(both):
    episodes, said = both
    compared = defaultdict(int)
    for episode in episodes:
        for topic in episode.constant.topics:
            live_ones = {header_stamp_ns(data): data for data in said[topic.name]}
            for message in episode.messages[topic.name]:
                stamp_ns = header_stamp_ns(message.data)
                assert stamp_ns in live_ones, (topic.name, stamp_ns)
                expected = plain(live_ones[stamp_ns], topic.type)
                assert plain(message.data, topic.type) == expected, (topic.name, stamp_ns)
                compared[topic.name] += 1
            if not (topic.latched or topic.is_tilt):
                facts = episode.facts
                inside = {s for s in live_ones if facts.start_ns <= s <= facts.end_ns}
                kept = {header_stamp_ns(message.data) for message in episode.messages[topic.name]}
                assert inside <= kept, topic.name
    assert set(compared) == {topic.name for topic in episodes[0].constant.topics}


def test_the_same_contacts_are_heard(both):
    episodes, said = both
    heard = [read_contact(data) for data in said["/contact"]]
    for episode in episodes:
        assert episode.contact() in heard
