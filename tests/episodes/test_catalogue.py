import shutil
import time

import pytest
from streams import listdir

from tiltbot_ros.episodes.catalogue import (
    discard,
    keep,
    list_episodes,
    relabel,
    restore,
)
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.errors import EpisodeError


@pytest.fixture
def data(recorded, tmp_path):
    return shutil.copytree(recorded, tmp_path / "data")


def ids(listed):
    return [entry.facts.id for entry in listed if entry.facts]


def test_discard_moves_to_the_trash_and_restore_brings_back(data):
    path = discard(data, "ep_000001")
    assert ids(list_episodes(data)) == ["ep_000002"]
    assert ids(list_episodes(data, trashed=True)) == ["ep_000001"]
    assert Episode.open(path).check().clean
    restore(data, "ep_000001")
    assert ids(list_episodes(data)) == ["ep_000001", "ep_000002"]


def test_a_discarded_number_is_not_given_out_again(data):
    discard(data, "ep_000002")
    shutil.rmtree(data / "trash")
    folder = DataFolder(data)
    assert folder.take_number() == "ep_000003"
    folder.close()


def test_relabel_changes_what_is_given_and_nothing_else(data):
    before = Episode.open(data / "ep_000001").facts
    after = relabel(data, "ep_000001", object_name="ball", labels={"operator": "ann"})
    relabel(data, "ep_000001", outcome="fell out")
    read = Episode.open(data / "ep_000001")
    assert (read.facts.object, read.facts.outcome) == ("ball", "fell out")
    assert read.facts.labels == {"operator": "ann"}
    assert (after.contact, after.bag_crc32) == (before.contact, before.bag_crc32)
    assert read.check() == read.facts.verdict
    assert "episode.json.new" not in listdir(data / "ep_000001")


def test_keep_marks(data):
    assert keep(data, "ep_000002").kept
    assert [e.facts.kept for e in list_episodes(data)] == [False, True]


def test_an_unreadable_episode_is_listed_with_its_problem(data):
    (data / "ep_000001" / "episode.json").write_text("{")
    broken, good = list_episodes(data)
    assert broken.facts is None
    assert "episode.json" in broken.problem
    assert good.facts is not None


@pytest.mark.parametrize("bad", ["ep_000077", "trash", "../data/ep_000001", ""])
@pytest.mark.parametrize("change", [keep, discard, relabel, restore])
def test_what_is_no_episode_is_refused(data, change, bad):
    with pytest.raises(EpisodeError, match="expected the id"):
        change(data, bad)


def test_a_thousand_episodes_are_listed_in_a_second(recorded, tmp_path):
    text = (recorded / "ep_000001" / "episode.json").read_text()
    for i in range(1000):
        path = tmp_path / f"ep_{i:06d}"
        path.mkdir()
        (path / "episode.json").write_text(text)
    begin = time.process_time()
    assert len(list_episodes(tmp_path)) == 1000
    assert time.process_time() - begin < 1.0


def test_no_folder_is_an_episode_error(tmp_path):
    with pytest.raises(EpisodeError, match="found none"):
        list_episodes(tmp_path / "nowhere")
