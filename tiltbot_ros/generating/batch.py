"""Make one batch: a collection of one object, as the live graph does it, in simulated time."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pydantic import Field

from tiltbot_ros.arms.tilts import RandomTilts
from tiltbot_ros.collecting import Collection, Target
from tiltbot_ros.episodes.cdr import NS_PER_S, write_audio
from tiltbot_ros.episodes.contacts import write_contact
from tiltbot_ros.episodes.detector import ContactDetector, HeardContact
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.recorder import EpisodeRecorder
from tiltbot_ros.episodes.writer import FailedEpisode, FinishedEpisode
from tiltbot_ros.errors import DeviceError, RecordingError, WorldError
from tiltbot_ros.generating import messages
from tiltbot_ros.generating.darkroom import Darkroom
from tiltbot_ros.generating.plan import Batch
from tiltbot_ros.generating.sink import DevelopingSink, SimulatedClock
from tiltbot_ros.generating.world import Block, RigWorld, Stretch
from tiltbot_ros.rigs import Rig
from tiltbot_ros.sensors.microphones import describe
from tiltbot_ros.session import SessionSettings
from tiltbot_ros.settings import Settings
from tiltbot_ros.worlds.objects import ObjectCatalogue
from tiltbot_ros.worlds.tray import TrayWorld

TICK_NS = NS_PER_S // 10
"""How often the recorder looks at the time, as its node does [ns]."""

STRIDE_PICTURES = 4
"""From picture to picture the world goes on in strides: half of its cost is that of a stride."""

LEVEL_RAD = 0.02
"""A tray that is less tilted counts as level, as in the tracker node [rad]."""


class Stopped(Exception):  # noqa: N818 - not a fault
    """The batch was given up because someone asked to stop."""


class BatchReport(Settings):
    """What became of a batch."""

    object: str = Field(description="in the tray")
    episodes: tuple[str, ...] = Field(description="ids, in order")
    clean: int = Field(description="of them, without a flaw")
    tilts: int = Field(description="carried out")
    contacts: int = Field(description="heard")
    simulated_s: float = Field(description="time that passed in the world [s]")
    processor_s: float = Field(0.0, description="processor time that it took [s]")
    reason: str = Field("", description="why there are fewer than planned; empty: there are not")


def make_batch(
    batch: Batch, rig: Rig, out: Path, *, stopped: Callable[[], bool] = lambda: False
) -> BatchReport:
    """Make the episodes of a batch in an empty folder of its own.

    A batch that goes wrong in the world itself ends with fewer episodes and a
    reason in its report.

    Args:
        batch: what to make.
        rig: a simulated one (see `check_rig`).
        out: data folder for these episodes alone.
        stopped: asked about every simulated second.

    Raises:
        Stopped: `stopped` said so; what is in the folder is of no use.
        RecordingError: an episode could not be written.
        MissingDependencyError: pictures cannot be painted here.
    """
    folder = DataFolder(out)
    try:
        folder.reserve(batch.first - 1)
        making = _Making(batch, rig, folder, stopped)
        try:
            return making.run()
        finally:
            making.close()
    finally:
        folder.close()


class _Making:
    """A world, its devices, the listeners and the recorder, without a transport between them."""

    def __init__(
        self, batch: Batch, rig: Rig, folder: DataFolder, stopped: Callable[[], bool]
    ) -> None:
        self._began_s = time.process_time()
        self._batch = batch
        self._stopped = stopped
        self._rig = rig
        self._sound = rig.microphones.audio_format
        self._world = TrayWorld(
            rig.world, seed=batch.world_seed, sound=rig.sound, catalogue=ObjectCatalogue.load()
        )
        self._clock = SimulatedClock(now_ns=batch.start_ns)
        self._darkroom = Darkroom(rig, self._world)
        session = SessionSettings.of(rig)
        streams = session.streams(rig.recorder, full_name=_full_name)
        facts = session.facts(streams, settings=rig.recorder, limits=rig.verdict)
        self._sink = DevelopingSink(
            folder,
            facts,
            rig.writer,
            darkroom=self._darkroom,
            clock=self._clock,
            most=batch.episodes,
        )
        self._recorder = EpisodeRecorder(rig.recorder, facts.topics, self._sink)
        self._detector = ContactDetector(rig.detector, self._sound)
        self._camera_info = messages.camera_info_template(
            self._darkroom.intrinsics, frame=rig.camera.frame_id if rig.camera else ""
        )
        self._info = describe(rig.microphones, device="simulated tray")
        self._rig_world = RigWorld(
            rig, self._world, RandomTilts(batch.tilt_seed, rig.tilt), start_ns=batch.start_ns
        )
        self._collection = Collection(Target(episodes=batch.episodes, minutes=0.0), rig.collect)
        self._waiting: list[HeardContact] = []
        self._contacts = 0
        self._ids: list[str] = []

    def run(self) -> BatchReport:
        now_ns = self._batch.start_ns
        self._take("audio/info", messages.audio_info_message(self._info, stamp_ns=now_ns))
        self._take(
            "camera/pose",
            messages.camera_pose_message(
                self._darkroom.pose, stamp_ns=now_ns, frame=self._darkroom.parent
            ),
        )
        self._recorder.set_object("", 0)
        self._recorder.pause(now_ns)
        self._world.place(None)
        self._darkroom.load()
        left = self._rig.tracker.learn_frames
        while left:
            for stretch in self._go_on(min(left, STRIDE_PICTURES)):
                self._darkroom.learn(stretch.snapshot, stamp_ns=stretch.end_ns)
                self._feed(stretch)
                left -= 1
        self._world.place(self._batch.object)
        self._darkroom.load()
        self._recorder.set_object(self._batch.object, self._clock.now_ns)
        self._recorder.resume(self._clock.now_ns)
        self._rig_world.start_tilting(self._rig.collect.settle_s)
        reason = self._collect()
        self._sink.drain()
        self._count(self._sink.poll())
        return BatchReport(
            object=self._batch.object,
            episodes=tuple(self._ids),
            clean=self._collection.clean,
            tilts=self._collection.tilts,
            contacts=self._contacts,
            simulated_s=(self._clock.now_ns - self._batch.start_ns) / NS_PER_S,
            processor_s=round(time.process_time() - self._began_s, 3),
            reason=reason,
        )

    def _collect(self) -> str:
        """Tilt until there are enough episodes; return why there are not, empty when there are."""
        try:
            while True:
                for stretch in self._go_on(STRIDE_PICTURES):
                    self._feed(stretch)
                    if self._sink.full:
                        return ""
                    if reason := self._collection.hopeless():
                        return reason
        except (WorldError, DeviceError) as error:
            # The same would happen again: the other batches must not wait for this one.
            return str(error)

    def close(self) -> None:
        self._sink.close()
        self._darkroom.close()

    def _go_on(self, pictures: int) -> Iterator[Stretch]:
        """Yield what happens until so many pictures were taken; the world is there already."""
        if self._stopped():
            raise Stopped
        stride = self._rig_world.advance(pictures)
        self._waiting += self._detector.process(stride.sound)
        yield from stride.stretches

    def _feed(self, stretch: Stretch) -> None:
        """Hand over what a stretch tells, in the order in which it would be received."""
        for block in stretch.blocks:
            self._clock.now_ns = block.end_ns
            self._feed_block(block)
            if block.tilt is not None:
                self._collection.on_tilt(success=True)
                self._sink.drain()
            if (block.end_ns - self._batch.start_ns) % TICK_NS == 0:
                self._count(self._recorder.tick(block.end_ns))
        self._feed_picture(stretch)

    def _feed_block(self, block: Block) -> None:
        frame, stamp_ns = self._rig.arm.frame_id, block.reading.stamp_ns
        if block.tilt is not None:
            tilt = block.tilt
            data = messages.tilt_message(
                tilt.motion, start_ns=tilt.start_ns, end_ns=tilt.end_ns, frame=frame
            )
            self._take("tilt", data)
        rotation = block.reading.rotation
        pose = messages.rotation_message(rotation, stamp_ns=stamp_ns, frame=frame)
        self._take("tray/pose", pose)
        self._take("tray/joint_states", messages.joints_message(block.reading, frame=frame))
        reference = messages.rotation_message(block.reference, stamp_ns=stamp_ns, frame=frame)
        self._take("tray/reference", reference)
        self._take("audio", write_audio(block.sound, self._sound, self._info.frame_id))
        end = block.sound.first_sample + len(block.sound.samples)
        while self._waiting and self._waiting[0].sample < end:
            contact = self._waiting.pop(0)
            data = write_contact(contact, self._info.channel_frames[contact.channel])
            self._take("contact", data)
            self._recorder.on_contact(contact, self._clock.now_ns)
            self._contacts += 1

    def _feed_picture(self, stretch: Stretch) -> None:
        stamp_ns = stretch.end_ns
        rotation = stretch.blocks[-1].reading.rotation
        self._darkroom.keep(
            stretch.snapshot,
            stamp_ns=stamp_ns,
            level=2.0 * math.sin(math.hypot(rotation[0], rotation[1]) / 2.0) < LEVEL_RAD,
        )
        for topic in self._darkroom.painted:
            self._recorder.on_message(topic, messages.placeholder(stamp_ns), stamp_ns)
        self._take("camera/color/camera_info", self._camera_info.fill(stamp_ns))

    def _take(self, topic: str, data: bytes) -> None:
        self._recorder.on_message(_full_name(topic), data, self._clock.now_ns)

    def _count(self, outcomes: Iterable[FinishedEpisode | FailedEpisode]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, FailedEpisode):
                raise RecordingError(outcome.reason)
            self._ids.append(outcome.facts.id)
            self._collection.on_episode(clean=outcome.facts.verdict.clean)


def _full_name(topic: str) -> str:
    return f"/{topic}"
