"""Data folders to convert, and what can happen to them."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np
import whole_episodes as rig

from policy_ros.data.converting import Converted, convert
from policy_ros.data.store_settings import StoreSettings
from policy_ros.signals.settings import FrontEndSettings
from tiltbot_ros.episodes.cdr import read_audio, write_audio
from tiltbot_ros.episodes.facts import FACTS_FILE, ConstantFacts, EpisodeContent, EpisodeFacts
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.writer import EpisodeWriter, FinishedEpisode, WriterSettings
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat

SMALL = StoreSettings(
    front_end=FrontEndSettings(frequencies=16, times=16),
    picture_size=32,
    max_tilt_rad=0.45,
    shard_rows=4,
)
OBJECTS = {"mug": "A", "can": "A", "cube": "B"}
NAMES = tuple(OBJECTS)

Change = Callable[[EpisodeContent], EpisodeContent]


def wanted(number: int, **changes) -> rig.Wanted:
    values = {
        "object": NAMES[number % 3],
        "action": (0.5 - 0.1 * (number % 10), 0.2),
        "contact_ns": rig.EPOCH_NS + 10 * number * rig.NS,
    }
    return rig.Wanted(**(values | changes))


content = cache(rig.content)
"""What a rig records; made once, because it takes longer than all that is tested."""


def record(folder: Path, count: int, *, start: int = 0) -> None:
    write(folder, *(wanted(number) for number in range(start, start + count)))


def write(folder: Path, *episodes: rig.Wanted) -> None:
    """Write episodes as `whole_episodes.write` does."""
    first = episodes[0]
    write_contents(folder, map(content, episodes), rig.constant(first.namespace, first.without))


def write_contents(
    folder: Path, contents: Iterable[EpisodeContent], facts: ConstantFacts, **settings
) -> list[Path]:
    data = DataFolder(folder)
    given = WriterSettings(disk_floor_bytes=0, **settings)
    writer = EpisodeWriter(data, facts, given, lambda: rig.EPOCH_NS, wait_when_full=True)
    for one in contents:
        writer.submit(one)
    outcomes = writer.close()
    data.close()
    assert all(isinstance(outcome, FinishedEpisode) for outcome in outcomes), outcomes
    return [outcome.path for outcome in outcomes]


def record_changed(
    folder: Path,
    change: Change = lambda content: content,
    *,
    topics: Callable[[ConstantFacts], ConstantFacts] = lambda facts: facts,
    number: int = 90,
    compress: bool = False,
) -> Path:
    """Write one episode whose content was changed before; return its directory."""
    changed = change(content(wanted(number)))
    return write_contents(folder, [changed], topics(rig.constant()), compress=compress)[0]


def changed_messages(content: EpisodeContent, name: str, change) -> EpisodeContent:
    """Return the content with the messages of a topic changed: (stamp, bytes) to bytes or None."""
    messages = [
        StampedMessage(stamp_ns=m.stamp_ns, data=data)
        for m in content.messages[f"/{name}"]
        if (data := change(m.stamp_ns, m.data)) is not None
    ]
    return replace(content, messages={**content.messages, f"/{name}": tuple(messages)})


def bag(path: Path) -> Path:
    return path / f"{path.name}.mcap"


def edit_facts(path: Path, **changes) -> None:
    facts = EpisodeFacts.read(path)
    (path / FACTS_FILE).write_bytes(replace(facts, **changes).to_json())


def write_bag(path: Path, data: bytes) -> None:
    """Replace a bag by bytes that `episode.json` vouches for."""
    bag(path).write_bytes(data)
    edit_facts(path, bag_bytes=len(data), bag_crc32=crc32(data))


def copied(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target


def converted(*folders: Path, out: Path, **options) -> Converted:
    given = {"settings": SMALL, "objects": OBJECTS, **options}
    return convert(folders, out, **given)


def at_rate(rate: int, bits: int = 16, channels: int = 4) -> Change:
    """Return a change that gives the sound another format, keeping its time."""

    def change(content):
        blocks = [read_audio(m.data).block for m in content.messages["/audio"]]
        whole = np.concatenate([block.samples for block in blocks]).astype(np.float64)
        places = np.arange(len(whole) * rate // 44_100) * 44_100 / rate
        low = np.stack([np.interp(places, np.arange(len(whole)), c) for c in whole.T], axis=1)
        form = AudioFormat(sample_rate=rate, channels=channels, bits=bits)
        samples = (low[:, :channels] * 2 ** (bits - 16)).astype(form.dtype)
        step = rate // 100
        made = [
            StampedMessage(
                stamp_ns=blocks[0].stamp_ns + at * rig.NS // rate,
                data=write_audio(
                    AudioBlock(
                        stamp_ns=blocks[0].stamp_ns + at * rig.NS // rate,
                        first_sample=at,
                        samples=np.ascontiguousarray(samples[at : at + step]),
                        xruns=0,
                    ),
                    form,
                    "tray",
                ),
            )
            for at in range(0, len(samples), step)
        ]
        contact = replace(content.contact, sample=content.contact.sample * rate // 44_100)
        return replace(
            content, contact=contact, messages={**content.messages, "/audio": tuple(made)}
        )

    return change


def reasons(done: Converted) -> list[str]:
    """Return why episodes were left out."""
    return [entry.reason for entry in done.left_out]
