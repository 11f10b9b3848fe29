"""What became of each contact of a long recording."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rosbags.rosbag2 import Reader

from tiltbot_ros.episodes.cdr import NS_PER_S, read_audio
from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.episodes.facts import DropCount
from tiltbot_ros.episodes.longbag import open_bag
from tiltbot_ros.episodes.offline_session import Cut
from tiltbot_ros.episodes.recorder_settings import RecorderSettings
from tiltbot_ros.episodes.segmenter import Policy
from tiltbot_ros.episodes.typestore import AUDIO_TYPE
from tiltbot_ros.episodes.writer import FinishedEpisode
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.sensors.sound_file import SoundFile


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """A long recording, before it is cut.

    Attributes:
        path: of the bag or the sound file.
        is_bag: it is a bag.
        seconds: its length [s].
        first_sample: running index of its first frame.
        sample_rate: [Hz].
    """

    path: Path
    is_bag: bool
    seconds: float
    first_sample: int
    sample_rate: int

    def time_of(self, contact: HeardContact) -> float:
        """Return how long after the first frame a contact was [s]."""
        return (contact.sample - self.first_sample) / self.sample_rate


@dataclass(frozen=True, kw_only=True, slots=True)
class Fate:
    """What became of one contact.

    Attributes:
        time_s: after the first frame of the recording [s].
        stamp_ns: the same as a stamp [ns].
        level: of the peak, 1 is digital full scale.
        channel: loudest microphone.
        fate: `episode`, `suppressed` (its window would overlap another's),
            `outside` (the recording does not hold its whole window), `lost`
            (it could not be written).
        reason: in words; empty for a clean episode.
        episode: id of its episode; null: it has none.
        clean: verdict on the episode; null: it has none.
    """

    time_s: float
    stamp_ns: int
    level: float
    channel: int
    fate: Literal["episode", "suppressed", "outside", "lost"]
    reason: str = ""
    episode: str | None = None
    clean: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentReport:
    """What `segment --json` prints."""

    file: Path
    out: Path
    seconds: float
    policy: Policy
    episodes: int
    clean: int
    drops: tuple[DropCount, ...]
    contacts: tuple[Fate, ...]


def recording_at(path: Path) -> Recording:
    """Return what is known of a recording before it is read through.

    Raises:
        EpisodeError: there is nothing, or a bag cannot be read or has no sound.
        AudioError: a file is no sound file, or truncated.
    """
    if not path.exists():
        raise EpisodeError(f"{path}: expected a sound file, a rosbag2 directory or an MCAP file")
    if path.is_dir() or path.suffix == ".mcap":
        return _bag(path)
    with SoundFile(path) as file:
        rate = file.audio_format.sample_rate
        return Recording(
            path=path, is_bag=False, seconds=file.frames / rate, first_sample=0, sample_rate=rate
        )


def fates(cut: Cut, recording: Recording, settings: RecorderSettings) -> tuple[Fate, ...]:
    """Return what became of every contact, in time order."""
    finished = {
        outcome.facts.contact.stamp_ns: outcome.facts
        for outcome in cut.outcomes
        if isinstance(outcome, FinishedEpisode)
    }
    failed = {
        outcome.contact_stamp_ns: outcome.reason
        for outcome in cut.outcomes
        if not isinstance(outcome, FinishedEpisode)
    }
    windows = [(facts.start_ns, facts.end_ns) for facts in finished.values()]
    found = []
    for contact in cut.contacts:
        time_s, stamp_ns = recording.time_of(contact), contact.stamp_ns
        start_ns = stamp_ns - round(settings.before_s * NS_PER_S)
        end_ns = stamp_ns + round(settings.after_s * NS_PER_S)
        facts = finished.get(stamp_ns)
        fate: Literal["episode", "suppressed", "outside", "lost"] = "episode"
        reason = ""
        if facts is not None:
            reason = "" if facts.verdict.clean else f"flagged, {'; '.join(facts.verdict.problems)}"
        elif stamp_ns in failed:
            fate, reason = "lost", failed[stamp_ns]
        elif time_s < settings.before_s:
            fate, reason = "outside", "too near to the start of the recording"
        elif settings.policy != "all" and any(a < end_ns and start_ns < b for a, b in windows):
            fate, reason = "suppressed", "its window would overlap another's"
        elif time_s + settings.after_s > cut.seconds:
            fate, reason = "outside", "too near to the end of the recording"
        else:
            fate, reason = "outside", "not all streams of the recording flowed yet"
        found.append(
            Fate(
                time_s=time_s,
                stamp_ns=stamp_ns,
                level=contact.level,
                channel=contact.channel,
                fate=fate,
                reason=reason,
                episode=facts.id if facts else None,
                clean=facts.verdict.clean if facts else None,
            )
        )
    return tuple(found)


def _bag(path: Path) -> Recording:
    with open_bag(path) as bag:
        sound = [topic.name for topic in bag.topics if topic.type == AUDIO_TYPE]
        first = next((data for topic, _, data in bag.messages() if topic in sound), None)
    if first is None:
        raise EpisodeError(f"{path}: expected a topic of {AUDIO_TYPE}, found none with messages")
    with Reader(path) as reader:
        seconds = reader.duration / NS_PER_S
    message = read_audio(first)
    return Recording(
        path=path,
        is_bag=True,
        seconds=seconds,
        first_sample=message.block.first_sample,
        sample_rate=message.format.sample_rate,
    )
