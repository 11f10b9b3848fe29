"""Episodes of several folders in one: whole, once, and with their origin."""

import errno
import shutil
import signal
import subprocess
import sys
import zlib

import pytest
from streams import listdir

from tiltbot_ros.commands.checking import check_episode
from tiltbot_ros.episodes import merging
from tiltbot_ros.episodes.catalogue import discard, list_episodes, relabel
from tiltbot_ros.episodes.facts import EpisodeFacts, Origin
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.merging import Duplicate, Merged, Refused, merge
from tiltbot_ros.episodes.selection import Selection
from tiltbot_ros.errors import EpisodeError, RecordingError


@pytest.fixture
def one(recorded, tmp_path):
    return shutil.copytree(recorded, tmp_path / "one")


@pytest.fixture
def two(recorded, tmp_path):
    """Return a folder with other bags under the same ids."""
    folder = shutil.copytree(recorded, tmp_path / "two")
    for entry in list_episodes(folder):
        bag = entry.path / f"{entry.path.name}.mcap"
        data = bytearray(bag.read_bytes())
        data[-9] ^= 1  # in the checksum of the summary, which nobody reads
        bag.write_bytes(data)
        facts = entry.facts.to_json().decode()
        old = f'"bag_crc32": {entry.facts.bag_crc32}'
        new = f'"bag_crc32": {zlib.crc32(data)}'
        (entry.path / "episode.json").write_text(facts.replace(old, new))
    return folder


def merged(sources, out, **options):
    told = []
    merge(sources, out, tell=told.append, **options)
    return told


def kinds(told):
    return [type(outcome) for outcome in told]


def test_all_episodes_are_there_whole_and_under_new_numbers(one, two, tmp_path):
    out = tmp_path / "out"
    told = merged([one, two], out)
    assert kinds(told) == [Merged] * 4
    assert [entry.facts.id for entry in list_episodes(out)] == [
        f"ep_{number:06d}" for number in (1, 2, 3, 4)
    ]
    for entry in list_episodes(out):
        assert check_episode(entry.path).good, entry.path
        assert listdir(entry.path) == [f"{entry.path.name}.mcap", "episode.json", "metadata.yaml"]
    assert EpisodeFacts.read(out / "ep_000003").origin == Origin(folder=str(two), id="ep_000001")


def test_sources_stay_as_they_are_and_bags_take_no_room_twice(one, tmp_path):
    before = {file: file.read_bytes() for file in one.rglob("*") if file.is_file()}
    merged([one], tmp_path / "out")
    assert {file: file.read_bytes() for file in one.rglob("*") if file.is_file()} == before
    bag = "ep_000001/ep_000001.mcap"
    assert (one / bag).stat().st_ino == (tmp_path / "out" / bag).stat().st_ino
    relabel(tmp_path / "out", "ep_000001", object_name="ball")
    assert EpisodeFacts.read(one / "ep_000001").object != "ball"


def test_copies_are_copies(one, tmp_path):
    merged([one], tmp_path / "out", copy=True)
    bag = "ep_000001/ep_000001.mcap"
    assert (one / bag).stat().st_ino != (tmp_path / "out" / bag).stat().st_ino
    assert (one / bag).read_bytes() == (tmp_path / "out" / bag).read_bytes()


def test_where_the_disk_cannot_link_it_copies(one, tmp_path, monkeypatch):
    def other_disk(*_args, **_options):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(merging.os, "link", other_disk)
    assert kinds(merged([one], tmp_path / "out")) == [Merged] * 2
    assert check_episode(tmp_path / "out" / "ep_000002").good


def test_the_same_again_takes_nothing_again(one, two, tmp_path):
    out = tmp_path / "out"
    merged([one], out)
    discard(out, "ep_000002")
    told = merged([one, two], out)
    assert kinds(told) == [Duplicate, Duplicate, Merged, Merged]
    assert [outcome.again for outcome in told[:2]] == [True, True]
    assert told[1].of == out / "trash" / "ep_000002"


def test_a_bag_that_is_there_from_elsewhere_is_a_duplicate(one, tmp_path):
    copy = shutil.copytree(one, tmp_path / "copy")
    told = merged([one, copy], tmp_path / "out")
    assert kinds(told) == [Merged, Merged, Duplicate, Duplicate]
    assert [outcome.again for outcome in told[2:]] == [False, False]
    # And merged from two generations of folders, an episode keeps its first origin.
    merged([tmp_path / "out"], tmp_path / "last")
    assert EpisodeFacts.read(tmp_path / "last" / "ep_000001").origin == Origin(
        folder=str(one), id="ep_000001"
    )


def test_what_is_broken_is_refused_and_the_rest_taken(one, tmp_path):
    (one / "ep_000001" / "ep_000001.mcap").write_bytes(b"short")
    told = merged([one], tmp_path / "out")
    assert kinds(told) == [Refused, Merged]
    assert "ep_000001.mcap: expected" in told[0].reason
    (one / "ep_000001" / "episode.json").write_text("{")
    assert kinds(merged([one], tmp_path / "out")) == [Refused, Duplicate]


def test_a_selection_and_a_dry_run(one, tmp_path):
    relabel(one, "ep_000002", outcome="good")
    told = merged([one], tmp_path / "out", selection=Selection(outcome="good"), dry=True)
    assert told == [Merged(source=one / "ep_000002", path=one / "ep_000002")]
    assert not (tmp_path / "out").exists()
    copy = shutil.copytree(one, tmp_path / "copy")
    assert kinds(merged([one, copy], tmp_path / "out", dry=True)) == [
        Merged,
        Merged,
        Duplicate,
        Duplicate,
    ]


def test_a_full_disk_leaves_whole_episodes_alone(one, tmp_path, monkeypatch):
    calls, real = [], shutil.copyfile

    def full(source, target):
        calls.append(source)
        if len(calls) == 2:
            target.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(merging.shutil, "copyfile", full)
        with pytest.raises(RecordingError, match="No space left"):
            merged([one], out, copy=True)
    assert [entry.path.name for entry in list_episodes(out)] == ["ep_000001"]
    assert not list(out.glob("*.partial"))
    assert kinds(merged([one], out, copy=True)) == [Duplicate, Merged]
    assert check_episode(out / "ep_000003").good


def test_somebody_else_in_the_folder_is_respected(one, tmp_path):
    folder = DataFolder(tmp_path / "out")
    try:
        with pytest.raises(RecordingError, match="another recorder"):
            merged([one], tmp_path / "out")
    finally:
        folder.close()
    with pytest.raises(RecordingError, match="another folder than the sources"):
        merged([one], one)
    (tmp_path / "made" / ".generate").mkdir(parents=True)
    with pytest.raises(RecordingError, match="numbers are planned"):
        merged([one], tmp_path / "made")
    with pytest.raises(EpisodeError, match="found none"):
        merged([tmp_path / "nowhere"], tmp_path / "out")


KILLED = """
import os, signal, sys
from pathlib import Path
from tiltbot_ros.episodes import merging
calls = []
def count(*_):
    calls.append(1)
    if len(calls) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
for name in ("mkdir", "write_bytes", "rename", "replace"):
    def wrapped(self, *args, _real=getattr(Path, name), **options):
        count()
        return _real(self, *args, **options)
    setattr(Path, name, wrapped)
merging.merge([Path(sys.argv[1])], Path(sys.argv[2]))
"""


@pytest.mark.parametrize("moment", [4, 7, 9])
def test_killed_at_any_moment_it_goes_on(one, tmp_path, moment):
    out = tmp_path / "out"
    command = [sys.executable, "-c", KILLED, str(one), str(out), str(moment)]
    status = subprocess.run(command, check=False).returncode
    assert status == -signal.SIGKILL
    for entry in list_episodes(out):
        assert check_episode(entry.path).good
    merged([one], out)
    found = [EpisodeFacts.read(entry.path).origin.id for entry in list_episodes(out)]
    assert sorted(found) == ["ep_000001", "ep_000002"]
    assert all(check_episode(entry.path).good for entry in list_episodes(out))
    assert not list(out.glob("*.partial"))
    assert listdir(one)
