"""Whatever is in its files, an episode is read or refused with an error of tiltbot's own.

No other exception, no endless loop, no memory that a file asks for and does
not fill.
"""

import os
import resource
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import whole_episodes as rig
from damage import ODD_VALUES, blows, replaced, signed, struck
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiltbot_ros.commands.checking import check_episode
from tiltbot_ros.commands.fates import recording_at
from tiltbot_ros.commands.listing import list_folder
from tiltbot_ros.episodes.cdr import make_header
from tiltbot_ros.episodes.exporting import ExportOptions, files_of
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.merging import merge
from tiltbot_ros.episodes.offline import cut_bag
from tiltbot_ros.episodes.offline_session import CutOptions
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.episodes.writer import EpisodeWriter, WriterSettings
from tiltbot_ros.errors import TiltbotError
from tiltbot_ros.reporting.report import make_report
from tiltbot_ros.reporting.settings import ReportSettings
from tiltbot_ros.sensors.image_codec import COLOR_FORMAT, pack_color

EXAMPLES = int(os.environ.get("TILTBOT_FUZZ", "16"))
"""A longer search: TILTBOT_FUZZ=5000 pytest tests/fuzz"""

ROOM = 1_500_000_000
FILES = ("ep_000001.mcap", "metadata.yaml", "episode.json")
COMPRESSED = "sensor_msgs/msg/CompressedImage"
FUZZ = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


@pytest.fixture(scope="module", autouse=True)
def little_memory():
    """Let an allocation of gigabytes fail."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture(scope="module", params=["raw", "compressed"])
def victim(request, tmp_path_factory) -> Path:
    """Return an episode's directory, and its files as they were."""
    folder = tmp_path_factory.mktemp(request.param)
    content, facts = rig.content(rig.Wanted()), rig.constant()
    messages = dict(content.messages)
    # A tenth of a second of sound is as good a target as four seconds.
    messages["/audio"] = messages["/audio"][195:205]
    if request.param == "raw":
        messages[f"/{rig.COLOR}"] = messages[f"/{rig.COLOR}"][:2]
    else:
        name = f"/{rig.COLOR}/compressed"
        messages[name] = tuple(_compressed(messages.pop(f"/{rig.COLOR}")[:2]))
        facts = replace(
            facts,
            topics=tuple(
                replace(topic, name=name, type=COMPRESSED)
                if topic.name == f"/{rig.COLOR}"
                else topic
                for topic in facts.topics
            ),
        )
    data = DataFolder(folder)
    packed = WriterSettings(disk_floor_bytes=0, compress=request.param == "compressed")
    writer = EpisodeWriter(data, facts, packed, lambda: rig.EPOCH_NS, wait_when_full=True)
    writer.submit(replace(content, messages=messages))
    (outcome,) = writer.close()
    data.close()
    return outcome.path


def _compressed(messages):
    kind = typestore().types[COMPRESSED]
    for number, message in enumerate(messages):
        colour = np.full((60, 80, 3), 40 * number, np.uint8)
        yield StampedMessage(
            stamp_ns=message.stamp_ns,
            data=bytes(
                typestore().serialize_cdr(
                    kind(
                        header=make_header(message.stamp_ns, "camera"),
                        format=COLOR_FORMAT,
                        data=np.frombuffer(pack_color(colour, jpeg_quality=80), np.uint8),
                    ),
                    COMPRESSED,
                )
            ),
        )


@pytest.fixture(scope="module")
def use(victim, tmp_path_factory):
    """Return a function that puts damaged files into the episode's place and uses all of it."""
    whole = {name: (victim / name).read_bytes() for name in FILES}
    out = tmp_path_factory.mktemp("out")

    def tried(**files: bytes) -> None:
        for name in FILES:
            (victim / name).write_bytes(files.get(name.rsplit(".", 1)[-1], whole[name]))
        threads = threading.active_count()
        _read(victim)
        found = check_episode(victim)
        assert not any("MemoryError" in problem for problem in found.problems)
        list_folder(victim.parent, object_name=None, clean=None, trashed=False, as_json=False)
        list_folder(victim.parent, object_name=None, clean=None, trashed=False, as_json=True)
        _report(victim.parent, out)
        _told(lambda: list(files_of(victim, ExportOptions(frames="all"))))
        _told(lambda: merge([victim.parent], out / "merged"))
        shutil.rmtree(out / "merged", ignore_errors=True)
        assert threading.active_count() <= threads

    tried.whole = whole
    return tried


def _told(part: Callable[[], object]) -> None:
    """Let a part work or complain; running out of memory is no complaint."""
    told = ""
    try:
        part()
    except TiltbotError as error:
        told = str(error)
    assert "MemoryError" not in told


def _read(path: Path) -> None:
    try:
        episode = Episode.open(path)
    except TiltbotError:
        return
    for part in (
        episode.check,
        episode.audio,
        episode.images,
        episode.tray,
        episode.locations,
        lambda: episode.deserialised("camera/color/camera_info"),
    ):
        _told(part)


def _report(folder: Path, out: Path) -> None:
    try:
        made = make_report(folder, out / "report", ReportSettings(gallery=1))
    except TiltbotError:
        return
    assert not any("MemoryError" in reason for _, reason in made.unreadable)


@FUZZ
@given(blows=blows)
def test_a_bag_that_its_facts_vouch_for(use, blows):
    bag = struck(use.whole["ep_000001.mcap"], blows)
    use(mcap=bag, json=signed(use.whole["episode.json"], bag))


@FUZZ
@given(blows=blows)
def test_metadata(use, blows):
    use(yaml=struck(use.whole["metadata.yaml"], blows))


@FUZZ
@given(blows=blows)
def test_facts_in_pieces(use, blows):
    use(json=struck(use.whole["episode.json"], blows))


@FUZZ
@given(
    swaps=st.lists(
        st.tuples(st.integers(0, 10_000), st.sampled_from([*ODD_VALUES, ...])),
        min_size=1,
        max_size=4,
    )
)
def test_facts_of_odd_values(use, swaps):
    use(json=replaced(use.whole["episode.json"], swaps))


@settings(FUZZ, max_examples=max(EXAMPLES // 4, 5))
@given(blows=blows)
def test_a_long_recording(use, victim, tmp_path_factory, blows):
    folder = tmp_path_factory.mktemp("long")
    bag = folder / "long.mcap"
    bag.write_bytes(struck(use.whole["ep_000001.mcap"], blows))
    options = CutOptions(writer=WriterSettings(disk_floor_bytes=0))
    _told(lambda: recording_at(bag))
    _told(lambda: cut_bag(bag, folder / "cut", options))
    shutil.rmtree(folder)
