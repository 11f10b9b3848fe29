import errno
import json
import os

import pytest

from policy_ros.data.exporters import groups
from policy_ros.data.exporters.groups import export
from policy_ros.data.exporters.lerobot import LeRobotFormat, LeRobotSettings
from policy_ros.data.exporters.lerobot_check import check_lerobot
from policy_ros.data.exporters.selection import select_episodes
from policy_ros.data.exporters.webdataset import WebDatasetFormat, WebDatasetSettings
from tiltbot_ros.errors import EpisodeError, FormatError, RecordingError


class OneByOne(WebDatasetFormat):
    """WebDataset with one episode a shard, that ends as a kill would in front of a shard."""

    def __init__(self, killed_at=None):
        super().__init__(WebDatasetSettings())
        self.killed_at = killed_at

    def begin(self, first):
        return 1, super().begin(first)[1]

    def write_group(self, folder, group):
        if group.number == self.killed_at:
            (folder / f"shard-{group.number:06d}.tar").write_bytes(b"half of it")
            raise KeyboardInterrupt
        return super().write_group(folder, group)


def content(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def chosen(recorded):
    return select_episodes([recorded]).episodes


def test_an_interrupted_export_goes_on_and_gives_the_same_bytes(chosen, tmp_path):
    export(OneByOne(), chosen, tmp_path / "whole")
    for killed_at in (0, 1, 2):
        out = tmp_path / f"killed_{killed_at}"
        with pytest.raises(KeyboardInterrupt):
            export(OneByOne(killed_at), chosen, out)
        assert not out.exists()
        report = export(OneByOne(), chosen, out)
        assert (report.exported, report.resumed) == (3, killed_at)
        assert content(out) == content(tmp_path / "whole")
        assert not out.with_name(f"{out.name}.partial").exists()


def test_other_episodes_or_options_are_not_mixed_in(chosen, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        export(OneByOne(1), chosen, tmp_path / "out")
    with pytest.raises(FormatError, match="expected the export that was begun there"):
        export(OneByOne(), chosen[:2], tmp_path / "out")
    with pytest.raises(FormatError, match="expected the export that was begun there"):
        export(WebDatasetFormat(WebDatasetSettings(shard_mb=1)), chosen, tmp_path / "out")
    with pytest.raises(FormatError, match="expected the export that was begun there"):
        export(LeRobotFormat(LeRobotSettings()), chosen, tmp_path / "out")


def test_what_is_there_is_never_changed(chosen, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(FormatError, match="expected a folder that does not exist yet"):
        export(OneByOne(), chosen, tmp_path / "out")


def test_a_full_disk_is_told_and_the_export_goes_on_later(chosen, tmp_path, monkeypatch):
    def full(path, data):
        if path.name == "group_00001.json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, data)

    real = groups.write_durably
    monkeypatch.setattr(groups, "write_durably", full)
    with pytest.raises(RecordingError, match=r"out\.partial: cannot be written: No space left"):
        export(OneByOne(), chosen, tmp_path / "out")
    monkeypatch.undo()
    assert export(OneByOne(), chosen, tmp_path / "out").resumed == 1


def test_two_processes_do_not_write_the_same_export(chosen, tmp_path):
    partial = tmp_path / "out.partial"
    partial.mkdir()
    lock = groups._locked(partial)
    with pytest.raises(RecordingError, match="another process writes this export"):
        export(OneByOne(), chosen, tmp_path / "out")
    os.close(lock)
    assert export(OneByOne(), chosen, tmp_path / "out").exported == 3


def test_a_corrupt_journal_is_told(chosen, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        export(OneByOne(1), chosen, tmp_path / "out")
    entry = tmp_path / "out.partial" / ".export" / "group_00000.json"
    entry.write_text(json.dumps({"number": -1}))
    with pytest.raises(FormatError, match=r"group_00000\.json: not of this export"):
        export(OneByOne(), chosen, tmp_path / "out")


def test_lerobot_files_of_several_groups_make_one_dataset(chosen, tmp_path):
    class Small(LeRobotFormat):
        def begin(self, first):
            return 2, super().begin(first)[1]

    export(Small(LeRobotSettings()), chosen, tmp_path / "out")
    assert check_lerobot(tmp_path / "out") == ()
    assert len(list((tmp_path / "out").rglob("file-001.*"))) == 2


def test_episodes_are_chosen(recorded, tmp_path):
    assert [e.facts.id for e in select_episodes([recorded], objects=["mug"]).episodes] == [
        "ep_000001",
        "ep_000003",
    ]
    assert len(select_episodes([recorded / "ep_000002"]).episodes) == 1
    with pytest.raises(FormatError, match="objects banana, mug"):
        select_episodes([recorded], objects=["spoon"])
    with pytest.raises(FormatError, match="found none of 3 that fit"):
        select_episodes([recorded], outcome="good")
    with pytest.raises(EpisodeError, match="found none"):
        select_episodes([tmp_path / "nothing"])
