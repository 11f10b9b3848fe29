"""What is generated is what the live nodes say of the same world.

The live world's own loop is run here, without a middleware and without
waiting, with the batch's seed, its object placed and its tilts begun at the
same blocks; what its publishers, the contact listener and the tracker publish
is caught and held against the generated bags, raw and compressed.
"""

from collections import defaultdict
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
from tiltbot_ros.episodes.moments import before_and_after
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.nodes import tray_server
from tiltbot_ros.nodes.audio_publisher import AudioPublisher
from tiltbot_ros.nodes.camera_publisher import CameraPublisher
from tiltbot_ros.nodes.contact_node import ContactListener
from tiltbot_ros.nodes.tracker_node import PairTracker
from tiltbot_ros.nodes.world_loop import WorldLoop
from tiltbot_ros.sensors.cameras import CameraIntrinsics
from tiltbot_ros.worlds.camera import PictureSettings, TrayCamera
from tiltbot_ros.worlds.objects import ObjectCatalogue
from tiltbot_ros.worlds.tray import TrayWorld

BLOCK_NS = 10_000_000


class Caught:
    """Stands for a node: keeps what its publishers publish, serialised as rclpy does."""

    def __init__(self):
        self.kept, self.listeners = defaultdict(list), defaultdict(list)

    def create_publisher(self, _, name, *__, **___):
        def publish(message):
            data = serialize_message(message)
            if (
                name == topics.TRAY_JOINTS.name
            ):  # 4 bytes after an empty last array, not on the wire
                data = data[:-4]
            self.kept[f"/{name}"].append(data)
            for listener in self.listeners[name]:
                listener(message, data)

        return SimpleNamespace(publish=publish, get_subscription_count=lambda: 1)

    def get_logger(self):
        return SimpleNamespace(info=print, error=print)

    def listen(self, topic, listener, *, raw=False):
        self.listeners[topic.name].append(lambda message, data: listener(data if raw else message))


class Eye:
    """Stands for the camera's process: paints at once."""

    def __init__(self, world, settings):
        self.camera = TrayCamera(world, settings)
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
    node, accept = Caught(), {}

    def action_server(*_, handle_accepted_callback, **__):
        accept["tilt"] = handle_accepted_callback

    monkeypatch.setattr(tray_server, "ActionServer", action_server)
    catalogue = ObjectCatalogue.load()
    world = TrayWorld(rig.world, seed=batch.world_seed, sound=rig.sound, catalogue=catalogue)
    world.place(None)
    driver = SimulatedTray(world)
    tray = tray_server.TrayServer(
        node, driver, tilt=rig.tilt, follow=rig.follow, rate_hz=rig.arm.rate_hz,
        frame=rig.arm.frame_id,
    )  # fmt: skip
    sound = AudioPublisher(
        node, audio_format=rig.microphones.audio_format, frame=rig.microphones.frame_id
    )
    images = CameraPublisher(node, settings=rig.camera)
    ears = ContactListener(node, rig.detector)
    node.listen(topics.AUDIO_INFO, ears.on_info)
    node.listen(topics.AUDIO, ears.on_audio, raw=True)
    eyes = PairTracker(node, rig.tracker)
    pair = {}
    node.listen(topics.CAMERA_POSE, eyes.on_camera_pose)
    node.listen(topics.TRAY_POSE, eyes.on_tray_pose)
    node.listen(topics.COLOR, lambda message: pair.update(color=message))
    node.listen(topics.DEPTH, lambda message: pair.update(depth=message))
    node.listen(topics.CAMERA_INFO, eyes.on_info)
    node.listen(topics.CAMERA_INFO, lambda _: eyes.on_pair(pair["color"], pair["depth"]))
    picture = PictureSettings(
        width=rig.camera.width, height=rig.camera.height, **rig.view.model_dump()
    )
    eye = Eye(world, picture)
    clock = {"block": 0}
    loop = WorldLoop(
        world,
        driver=driver,
        tray=tray,
        sound=sound,
        images=images,
        eye=eye,
        intrinsics=CameraIntrinsics(
            width=picture.width, height=picture.height, k=eye.camera.intrinsics,
            distortion=np.zeros(5),
        ),
        microphones=rig.microphones,
        camera=rig.camera,
        now=lambda: batch.start_ns + clock["block"] * BLOCK_NS,
    )  # fmt: skip

    def hurry():
        """Stand for the pacer: never wait, and do what the collect node would."""
        clock["block"] += 1
        if clock["block"] == placed_at:
            loop.place(catalogue.get(batch.object))
        if clock["block"] in tilts:
            accept["tilt"](Goal(*tilts[clock["block"]]))
        if clock["block"] == blocks:
            loop.stop()
        return 0

    images.publish_pose(eye.camera.pose_in_tray, parent="tray", stamp_ns=batch.start_ns)
    loop.run(hurry)
    eye.camera.close()
    return node.kept


def episodes_of(folder, batch):
    return [Episode.open(entry.path) for entry in list_episodes(folder)][: batch.episodes]


@pytest.fixture(scope="module")
def said(generated):
    """Return what the live nodes say of the world of the first batch."""
    rig, batch = quick.rig("raw"), quick.plan().batches()[0]
    episodes = episodes_of(generated, batch)
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
    with pytest.MonkeyPatch.context() as monkeypatch:
        return live(monkeypatch, rig, batch, placed_at=placed_at, tilts=tilts, blocks=blocks)


def plain(data, msgtype):
    """Return a message with all padding at zero, and NaN like NaN."""
    store = typestore()
    return bytes(store.serialize_cdr(store.deserialize_cdr(data, msgtype), msgtype))


def moments_of(stamps, tilt):
    chosen = np.array(sorted(stamps), np.int64)
    pair = before_and_after(chosen, tilt_start_ns=tilt.start_ns, tilt_end_ns=tilt.end_ns)
    return set(chosen[list(pair)].tolist())


@pytest.mark.parametrize("form", ["generated", "video", "raw"])
def test_generated_messages_are_those_of_the_live_nodes_field_by_field(said, form, request):
    episodes = episodes_of(request.getfixturevalue(form), quick.plan().batches()[0])
    compared = defaultdict(int)
    for episode in episodes:
        facts = episode.facts
        for topic in episode.constant.topics:
            live_ones = {header_stamp_ns(data): data for data in said[topic.name]}
            for message in episode.messages[topic.name]:
                stamp_ns = header_stamp_ns(message.data)
                assert stamp_ns in live_ones, (topic.name, stamp_ns)
                expected = plain(live_ones[stamp_ns], topic.type)
                assert plain(message.data, topic.type) == expected, (topic.name, stamp_ns)
                compared[topic.name] += 1
            if topic.latched or topic.is_tilt:
                continue
            inside = {s for s in live_ones if facts.start_ns <= s <= facts.end_ns}
            kept = {header_stamp_ns(message.data) for message in episode.messages[topic.name]}
            if topic.moments_hz:
                assert kept == moments_of(inside, episode.tilt()), topic.name
            else:
                assert inside <= kept, topic.name
    assert set(compared) == {topic.name for topic in episodes[0].constant.topics}
    assert len(episodes) == 2


def test_the_same_contacts_are_heard(said, generated):
    heard = [read_contact(data) for data in said["/contact"]]
    for episode in episodes_of(generated, quick.plan().batches()[0]):
        assert episode.contact() in heard
