"""Cut long recordings, bags or sound files, into the same episodes as live.

Nothing is computed here: raw messages go, in the order of receipt, through
the detector, the recorder and the writer that a live session uses.
"""

from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tiltbot_ros.episodes.cdr import NS_PER_S, make_header, read_audio, write_audio
from tiltbot_ros.episodes.contacts import read_contact
from tiltbot_ros.episodes.longbag import open_bag
from tiltbot_ros.episodes.offline_session import Cut, CutOptions, Listener, offline_session
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import AUDIO_INFO_TYPE, AUDIO_TYPE, CONTACT_TYPE, typestore
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat
from tiltbot_ros.sensors.sound_file import SoundFile

_CHUNK_S = 10.0


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
    with offline_session(out, recorded, options, heard) as session:
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
        with offline_session(out, topics, options, heard) as session:
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
