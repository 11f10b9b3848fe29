"""Play recorded messages back in time: which, when, and with which stamps. No ROS in it."""

import heapq
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

from pydantic import Field

from tiltbot_ros.episodes.catalogue import list_episodes
from tiltbot_ros.episodes.cdr import NS_PER_S, read_audio
from tiltbot_ros.episodes.longbag import LongBag, open_bag
from tiltbot_ros.episodes.tilts import read_tilt
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.restamping import restamp
from tiltbot_ros.settings import Settings
from tiltbot_ros.topics import TOPICS, Topic


class ReplaySettings(Settings):
    """What is played back, how fast, and with which stamps."""

    path: str = Field(
        "", description="a data folder, one episode, a rosbag2 directory or an MCAP file"
    )
    rate: float = Field(
        1.0, ge=0.01, le=100.0, description="speed: 2 plays twice as fast as it was recorded [1]"
    )
    stamps: Literal["shifted", "kept"] = Field(
        "shifted",
        description="'shifted': every time in the messages is moved so that the recording begins "
        "now; 'kept': messages are as they were recorded",
    )
    loop: bool = Field(False, description="begin again at the end")
    gap_s: float = Field(
        3.0,
        ge=0.0,
        le=60.0,
        description="silence between two recordings, at rate 1; long enough for a recorder to end "
        "an episode that lasts to the end of the first [s]",
    )
    delay_s: float = Field(
        1.0,
        ge=0.0,
        le=60.0,
        description="wait before the first message, in which subscribers are found [s]",
    )
    linger_s: float = Field(
        3.0,
        ge=0.0,
        le=60.0,
        description="stay so long after the last message, at rate 1, for what others make of it "
        "[s]",
    )
    clock_hz: float = Field(
        0.0,
        ge=0.0,
        le=1000.0,
        description="publish the recording's time on /clock so often, for nodes with "
        "use_sim_time [Hz]; 0: do not",
    )
    without: list[str] = Field(
        [], description="topics that are left out, by their names within the rig"
    )
    wait_for: list[str] = Field(
        [], description="nodes that must listen before the first message is played"
    )
    wait_timeout_s: float = Field(
        30.0, ge=0.0, le=600.0, description="wait at most so long for those nodes [s]"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """One message of a replay.

    Attributes:
        at_ns: since the beginning of the replay, in the time of the data [ns].
        ros_ns: what a clock of the recording shows then (ROS clock) [ns].
        topic: where it goes; a relative name when it was recorded within its
            rig's namespace.
        data: the CDR bytes.
    """

    at_ns: int
    ros_ns: int
    topic: Topic
    data: bytes


def find_recordings(path: Path) -> list[Path]:
    """Return the bags at a path: itself, or the episodes of a data folder in order.

    Raises:
        EpisodeError: there is no recording.
    """
    if path.is_file() or (path / "metadata.yaml").is_file():
        return [path]
    found = [entry.path for entry in list_episodes(path)]
    if not found:
        raise EpisodeError(
            f"{path}: expected a data folder with episodes, a rosbag2 directory or an MCAP file, "
            f"found none of them"
        )
    return found


def replay_topics(recorded: Iterable[RecordedTopic]) -> dict[str, Topic]:
    """Return where each recorded topic is played, by its recorded name.

    The namespace of the rig, which is that of its sound, is taken off, so
    that the replay's own namespace takes its place. What was recorded outside
    of it keeps its full name. Quality of service is that of the package's
    table for the topics in it, and as recorded for others.
    """
    recorded = tuple(recorded)
    table = {topic.name: topic for topic in TOPICS}
    spaces = {topic.name.rpartition("/")[0] for topic in recorded if topic.is_audio}
    space = f"{spaces.pop()}/" if len(spaces) == 1 else "/"
    found = {}
    for topic in recorded:
        name = topic.name.removeprefix(space)
        known = table.get(name)
        found[topic.name] = (
            known
            if known is not None and known.type == topic.type
            else Topic(
                name=name,
                type=topic.type,
                depth=topic.depth,
                latched=topic.latched,
                content="as recorded",
            )
        )
    return found


def schedule(
    paths: Iterable[Path],
    settings: ReplaySettings,
    *,
    start_ns: int,
    began: Callable[[Path], None] = lambda _: None,
    failed: Callable[[EpisodeError], None] | None = None,
) -> Iterator[Played]:
    """Yield the messages of recordings one after another, in the order of playing.

    A message is played at its log time, which in an episode is its header
    stamp and in other bags the time of receipt; but sound not before the end
    of its block, and a tilt not before its end, as they could not be known
    earlier. With shifted stamps one recording's times all move by the same
    offset, so that distances within it stay.

    Args:
        paths: of bags, as `find_recordings` gives them.
        settings: stamps, gap, loop and topics left out.
        start_ns: what the ROS clock shows at the beginning, for shifted stamps [ns].
        began: told of each recording before its first message.
        failed: told of a recording that cannot be read (further); the next
            one follows. None: it is raised.

    Raises:
        EpisodeError: a recording cannot be read, or none of them has a message.
    """
    paths = list(paths)
    begin_ns = 0
    while True:
        pass_ns = begin_ns
        for path in paths:
            began(path)
            try:
                for played in _recording(path, settings, begin_ns, start_ns):
                    yield played
                    begin_ns = played.at_ns + round(settings.gap_s * NS_PER_S)
            except EpisodeError as error:
                if failed is None:
                    raise
                failed(error)
        if begin_ns == pass_ns:
            raise EpisodeError(
                f"expected messages to play in {', '.join(map(str, paths))}, found none"
            )
        if not settings.loop:
            return


def _recording(
    path: Path, settings: ReplaySettings, begin_ns: int, start_ns: int
) -> Iterator[Played]:
    with open_bag(path) as bag:
        topics = {
            name: topic
            for name, topic in replay_topics(bag.topics).items()
            if topic.name not in settings.without
        }
        first_ns: int | None = None
        for due_ns, name, data in _in_order(bag, topics):
            if first_ns is None:
                first_ns = due_ns
            topic = topics[name]
            at_ns = begin_ns + due_ns - first_ns
            if settings.stamps == "shifted":
                offset_ns = start_ns + begin_ns - first_ns
                data = restamp(topic.type, data, offset_ns)  # noqa: PLW2901 - the same message
                due_ns += offset_ns  # noqa: PLW2901
            yield Played(at_ns=at_ns, ros_ns=due_ns, topic=topic, data=data)


def _in_order(bag: LongBag, topics: dict[str, Topic]) -> Iterator[tuple[int, str, bytes]]:
    """Yield time of playing [ns], topic and bytes, in the order of the times."""
    held: list[tuple[int, int, str, bytes]] = []
    order = count()
    log_ns = 0
    for name, log_ns, data in bag.messages():
        if name not in topics:
            continue
        due_ns = max(log_ns, _known_ns(topics[name], data))
        heapq.heappush(held, (due_ns, next(order), name, data))
        while held[0][0] <= log_ns:
            due_ns, _, name, data = heapq.heappop(held)  # noqa: PLW2901
            yield due_ns, name, data
            if not held:
                break
    for due_ns, _, name, data in sorted(held):
        yield min(due_ns, log_ns), name, data


def _known_ns(topic: Topic, data: bytes) -> int:
    """Return the earliest time at which the message can have been known [ns]."""
    if topic.type == "tiltbot/msg/ContactAudio":
        message = read_audio(data)
        rate = message.format.sample_rate
        return message.block.stamp_ns + len(message.block.samples) * NS_PER_S // rate
    if topic.type == "tiltbot/msg/Tilt":
        return read_tilt(data).end_ns
    return 0


def needs_clock(settings: ReplaySettings) -> bool:
    """Say whether the recording's time differs from this computer's, so that nodes need /clock."""
    return settings.stamps == "kept" or not math.isclose(settings.rate, 1.0)
