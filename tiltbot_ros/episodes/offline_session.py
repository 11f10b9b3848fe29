"""A session without a laboratory: detector, recorder and writer, fed by hand."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tiltbot_ros.episodes.cdr import NS_PER_S
from tiltbot_ros.episodes.contacts import read_contact, write_contact
from tiltbot_ros.episodes.detector import ContactDetector, DetectorSettings, HeardContact
from tiltbot_ros.episodes.facts import ConstantFacts, DropCount, software_version
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.recorder import EpisodeRecorder
from tiltbot_ros.episodes.recorder_settings import RecorderSettings
from tiltbot_ros.episodes.threshold import ThresholdDetector, ThresholdSettings
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.verdict_settings import VerdictSettings
from tiltbot_ros.episodes.writer import (
    EpisodeWriter,
    FailedEpisode,
    FinishedEpisode,
    WriterSettings,
)
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat

_TICK_NS = NS_PER_S // 20


@dataclass(frozen=True, kw_only=True, slots=True)
class CutOptions:
    """How a recording is cut.

    Attributes:
        object: what was in the tray; empty: not named.
        rig: name noted in the bags.
        max_tilt_rad: noted in the bags [rad].
        detector: how contacts are heard: as of a live session, or by level alone.
        recorder, writer, limits: as of a live session.
    """

    object: str = ""
    rig: str = "offline"
    max_tilt_rad: float = 0.0
    detector: DetectorSettings | ThresholdSettings = field(default_factory=DetectorSettings)
    recorder: RecorderSettings = field(default_factory=RecorderSettings)
    writer: WriterSettings = field(default_factory=WriterSettings)
    limits: VerdictSettings = field(default_factory=VerdictSettings)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """What became of a recording.

    Attributes:
        contacts: all that were heard.
        outcomes: episodes in the order of their contacts.
        drops: losses by cause.
        seconds: of sound [s].
    """

    contacts: tuple[HeardContact, ...]
    outcomes: tuple[FinishedEpisode | FailedEpisode, ...]
    drops: tuple[DropCount, ...]
    seconds: float


Listener = Callable[[HeardContact], None]


class OfflineSession:
    """One detector, one recorder, and what they found; made by `offline_session`.

    Attributes:
        frames: names of the channels' frames.
        outcomes: what became of episodes so far.
        recorder: as of a live session.
    """

    def __init__(
        self,
        recorder: EpisodeRecorder,
        contact_topic: str,
        settings: DetectorSettings | ThresholdSettings,
        heard: Listener | None,
    ) -> None:
        self.frames: tuple[str, ...] = ()
        self.outcomes: list[FinishedEpisode | FailedEpisode] = []
        self.recorder = recorder
        self._contact_topic = contact_topic
        self._settings = settings
        self._heard = heard
        self._detector: ContactDetector | ThresholdDetector | None = None
        self._frame_id = ""
        self._waiting: list[HeardContact] = []
        self._contacts: list[HeardContact] = []
        self._samples = 0
        self._now_ns = 0
        self._ticked_ns = 0

    def take(self, topic: str, data: bytes, receive_ns: int) -> None:
        """Hand the recorder a message."""
        self.recorder.on_message(topic, data, receive_ns)
        self._now_ns = receive_ns

    def believe(self, contact: HeardContact, receive_ns: int) -> None:
        """Hand the recorder a contact that somebody else heard."""
        self.recorder.on_contact(contact, receive_ns)
        self._contacts.append(contact)
        if self._heard is not None:
            self._heard(contact)

    def listen(
        self, block: AudioBlock, audio_format: AudioFormat, frame_id: str, *, deaf: bool = False
    ) -> None:
        """Run the detector; `report` hands its contacts to the recorder."""
        if self._detector is None:
            self._detector = _detector(self._settings, audio_format)
        elif self._detector.format != audio_format:
            raise EpisodeError(
                f"expected {self._detector.format} to the end of the recording, got {audio_format}"
            )
        self._frame_id = frame_id
        self._samples += len(block.samples)
        if not deaf:
            self._waiting += self._detector.process(block)

    def report(self, receive_ns: int, *, until_sample: int | None = None) -> None:
        """Hand over the contacts that were heard, up to a frame."""
        while self._waiting and (until_sample is None or self._waiting[0].sample < until_sample):
            contact = self._waiting.pop(0)
            known = contact.channel < len(self.frames)
            frame = self.frames[contact.channel] if known else self._frame_id
            data = write_contact(contact, frame)
            self.recorder.on_message(self._contact_topic, data, receive_ns)
            self.recorder.on_contact(read_contact(data), receive_ns)
            self._contacts.append(contact)
            if self._heard is not None:
                self._heard(contact)

    def tick(self, receive_ns: int) -> None:
        """Let the recorder do what the time demands, about as often as in a live session."""
        if not 0 <= receive_ns - self._ticked_ns < _TICK_NS:
            self.outcomes += self.recorder.tick(receive_ns)
            self._ticked_ns = receive_ns

    def end(self) -> None:
        """Hear what is left, and cut what can be cut."""
        if self._detector is not None:
            self._waiting += self._detector.flush()
        self.report(self._now_ns)
        self.recorder.finish(self._now_ns)

    def result(self) -> Cut:
        """Return what became of the recording, once all is on disk."""
        rate = self._detector.format.sample_rate if self._detector else 1
        return Cut(
            contacts=tuple(self._contacts),
            outcomes=tuple(self.outcomes),
            drops=self.recorder.drops(),
            seconds=self._samples / rate,
        )


def _detector(
    settings: DetectorSettings | ThresholdSettings, audio_format: AudioFormat
) -> ContactDetector | ThresholdDetector:
    if isinstance(settings, ThresholdSettings):
        return ThresholdDetector(settings, audio_format)
    return ContactDetector(settings, audio_format)


@contextmanager
def offline_session(
    out: Path, topics: tuple[RecordedTopic, ...], options: CutOptions, heard: Listener | None
) -> Iterator[OfflineSession]:
    """Open the data folder and the writer, and see everything through to the disk.

    Args:
        out: data folder for the episodes.
        topics: what is recorded; one of them of contacts.
        options: how to cut.
        heard: told of every contact.

    Raises:
        RecordingError: the data folder cannot be used.
    """
    facts = ConstantFacts(
        rig=options.rig,
        software_version=software_version(),
        detector=options.detector.digest(),
        detector_settings=options.detector.model_dump_json(),
        before_s=options.recorder.before_s,
        after_s=options.recorder.after_s,
        policy=options.recorder.policy,
        max_tilt_rad=options.max_tilt_rad,
        topics=topics,
        limits=options.limits,
    )
    contact_topic = next(topic.name for topic in topics if topic.is_contact)
    folder = DataFolder(out)
    try:
        writer = EpisodeWriter(folder, facts, options.writer, time.time_ns, wait_when_full=True)
        recorder = EpisodeRecorder(options.recorder, topics, writer, directory=str(out))
        recorder.set_object(options.object, 0)
        session = OfflineSession(recorder, contact_topic, options.detector, heard)
        try:
            yield session
            session.end()
        finally:
            outcomes = writer.close()
            recorder.account(outcomes)
            session.outcomes += outcomes
    finally:
        folder.close()
