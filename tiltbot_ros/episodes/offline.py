"""Cut long recordings, bags or sound files, into the same episodes as live.

Nothing is computed here: raw messages go, in the order of receipt, through
the detector, the recorder and the writer that a live session uses.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tiltbot_ros.episodes.cdr import NS_PER_S, make_header, read_audio, write_audio
from tiltbot_ros.episodes.contacts import read_contact, write_contact
from tiltbot_ros.episodes.detector import ContactDetector, DetectorSettings, HeardContact
from tiltbot_ros.episodes.facts import ConstantFacts, DropCount, software_version
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.longbag import open_bag
from tiltbot_ros.episodes.recorder import EpisodeRecorder
from tiltbot_ros.episodes.recorder_settings import RecorderSettings
from tiltbot_ros.episodes.threshold import ThresholdDetector, ThresholdSettings
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import AUDIO_INFO_TYPE, AUDIO_TYPE, CONTACT_TYPE, typestore
from tiltbot_ros.episodes.verdict_settings import VerdictSettings
from tiltbot_ros.episodes.writer import (
    EpisodeWriter,
    FailedEpisode,
    FinishedEpisode,
    WriterSettings,
)
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat
from tiltbot_ros.sensors.sound_file import SoundFile

_CHUNK_S = 10.0
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


def cut_bag(
    bag: Path,
    out: Path,
    options: CutOptions,
    *,
    topics: Iterable[RecordedTopic] | None = None,
    heard: Listener | None = None,
) -> Cut:
    """Cut a bag with a ContactAudio topic.

    Contacts are heard anew; a contact topic in the bag is left out.

    Args:
        bag: rosbag2 directory, or an MCAP file alone.
        out: data folder for the episodes.
        options: how to cut.
        topics: what to record and what is promised of it; None takes all
            topics of the bag at their mean rates in it.
        heard: told of every contact.

    Raises:
        EpisodeError: the bag is missing, truncated, corrupt or without sound.
        RecordingError: the data folder cannot be used.
    """
    with open_bag(bag) as source:
        recorded = tuple(source.topics if topics is None else topics)
        return cut_messages(source.messages(), recorded, out, options, name=str(bag), heard=heard)


def cut_messages(
    messages: Iterable[tuple[str, int, bytes]],
    topics: Iterable[RecordedTopic],
    out: Path,
    options: CutOptions,
    *,
    name: str,
    objects: Iterable[tuple[int, str]] = (),
    heard: Listener | None = None,
    told: bool = False,
) -> Cut:
    """Cut a stream of messages, wherever it comes from.

    Contacts are heard anew, and contacts among the messages left out, unless
    these are to be told.

    Args:
        messages: topic, time of receipt [ns] and bytes, in the order of receipt;
            those of topics that are not recorded are skipped.
        topics: what to record and what is promised of it.
        out: data folder for the episodes.
        options: how to cut.
        name: what errors call the recording.
        objects: what was in the tray from when on [ns], in time order, where it
            is not the options' object throughout.
        heard: told of every contact.
        told: take the contacts of the messages and hear none.

    Raises:
        EpisodeError: not exactly one topic is sound, or a message of it is corrupt.
        RecordingError: the data folder cannot be used.
    """
    recorded = tuple(topics)
    sound = [topic.name for topic in recorded if topic.type == AUDIO_TYPE]
    if len(sound) != 1:
        raise EpisodeError(f"{name}: expected one topic of {AUDIO_TYPE}, found {sound or 'none'}")
    said = [topic.name for topic in recorded if topic.type == CONTACT_TYPE]
    if told and len(said) != 1:
        raise EpisodeError(f"{name}: expected one topic of {CONTACT_TYPE}, found {said or 'none'}")
    contact_topic = said[0] if told else f"{sound[0].rsplit('/', 1)[0]}/contact"
    recorded = (
        *(t for t in recorded if t.type != CONTACT_TYPE),
        RecordedTopic(name=contact_topic, type=CONTACT_TYPE),
    )
    types = {topic.name: topic.type for topic in recorded}
    changes = deque(objects)
    with _session(out, recorded, options, heard) as session:
        for topic, receive_ns, data in messages:
            if topic not in types or (topic == contact_topic and not told):
                continue
            while changes and changes[0][0] <= receive_ns:
                since_ns, object_name = changes.popleft()
                session.recorder.set_object(object_name, since_ns)
            session.take(topic, data, receive_ns)
            if topic == contact_topic:
                session.believe(read_contact(data), receive_ns)
            elif types[topic] == AUDIO_TYPE:
                message = read_audio(data)
                session.listen(message.block, message.format, message.frame_id, deaf=told)
                session.report(receive_ns)
            elif types[topic] == AUDIO_INFO_TYPE:
                info: Any = typestore().deserialize_cdr(data, AUDIO_INFO_TYPE)
                session.frames = tuple(info.channel_frames)
            session.tick(receive_ns)
    return session.result()


def cut_sound(
    path: Path,
    out: Path,
    options: CutOptions,
    *,
    start_ns: int | None = None,
    block_s: float = 0.1,
    heard: Listener | None = None,
) -> Cut:
    """Cut a WAV, FLAC or other sound file.

    Args:
        path: the file.
        out: data folder for the episodes.
        options: how to cut.
        start_ns: time of the first frame; None: the file's modification time
            less its length [ns].
        block_s: sound in one ContactAudio message [s].
        heard: told of every contact.

    Raises:
        AudioError: the file is missing, truncated or no sound file.
        RecordingError: the data folder cannot be used.
    """
    with SoundFile(path) as file:
        audio_format = file.audio_format
        rate = audio_format.sample_rate
        frames = max(1, round(block_s * rate))
        if start_ns is None:
            start_ns = path.stat().st_mtime_ns - file.frames * NS_PER_S // rate
        topics = (
            RecordedTopic(name="/audio", type=AUDIO_TYPE, required=True, expected_hz=rate / frames),
            RecordedTopic(name="/audio/info", type=AUDIO_INFO_TYPE, latched=True, required=True),
            RecordedTopic(name="/contact", type=CONTACT_TYPE),
        )
        with _session(out, topics, options, heard) as session:
            session.frames = tuple(f"mic_{i}" for i in range(audio_format.channels))
            info = _file_info(path, audio_format, frames, start_ns)
            session.take("/audio/info", info, start_ns)
            chunk = frames * max(1, round(_CHUNK_S * rate / frames))
            first = 0
            while len(samples := file.read(chunk)):
                stamp_ns = start_ns + first * NS_PER_S // rate
                whole = AudioBlock(stamp_ns=stamp_ns, first_sample=first, samples=samples, xruns=0)
                session.listen(whole, audio_format, "tray")
                for at in range(0, len(samples), frames):
                    part = samples[at : at + frames]
                    block = AudioBlock(
                        stamp_ns=start_ns + (first + at) * NS_PER_S // rate,
                        first_sample=first + at,
                        samples=part,
                        xruns=0,
                    )
                    end_ns = start_ns + (first + at + len(part)) * NS_PER_S // rate
                    session.take("/audio", write_audio(block, audio_format, "tray"), end_ns)
                    session.report(end_ns, until_sample=first + at + len(part))
                    session.tick(end_ns)
                first += len(samples)
        return session.result()


class _Session:
    """One detector, one recorder, and what they found."""

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
        if not 0 <= receive_ns - self._ticked_ns < _TICK_NS:
            self.outcomes += self.recorder.tick(receive_ns)
            self._ticked_ns = receive_ns

    def end(self) -> None:
        if self._detector is not None:
            self._waiting += self._detector.flush()
        self.report(self._now_ns)
        self.recorder.finish(self._now_ns)

    def result(self) -> Cut:
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
def _session(
    out: Path, topics: tuple[RecordedTopic, ...], options: CutOptions, heard: Listener | None
) -> Iterator[_Session]:
    """Open the data folder and the writer, and see everything through to the disk."""
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
        session = _Session(recorder, contact_topic, options.detector, heard)
        try:
            yield session
            session.end()
        finally:
            outcomes = writer.close()
            recorder.account(outcomes)
            session.outcomes += outcomes
    finally:
        folder.close()


def _file_info(path: Path, audio_format: AudioFormat, frames: int, start_ns: int) -> bytes:
    channels = audio_format.channels
    unknown = np.full(channels, np.nan, np.float32)
    message = typestore().types[AUDIO_INFO_TYPE](
        header=make_header(start_ns, "tray"),
        device=path.name,
        source="file",
        sample_rate=audio_format.sample_rate,
        channels=channels,
        bits=audio_format.bits,
        block_frames=frames,
        gain_db=unknown,
        calibration=unknown,
        unit="",
        channel_frames=[f"mic_{i}" for i in range(channels)],
    )
    return bytes(typestore().serialize_cdr(message, AUDIO_INFO_TYPE))
