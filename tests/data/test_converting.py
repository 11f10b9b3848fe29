"""A training store follows its folders."""

import shutil

import bags
import pytest
import rows

from policy_ros.data.manifest import FILE
from policy_ros.data.store import Store
from tiltbot_ros.episodes import catalogue
from tiltbot_ros.errors import EpisodeError, StoreError


def test_an_unchanged_folder_changes_nothing(data, tmp_path):
    bags.converted(data, out=tmp_path / "store")
    before = (tmp_path / "store" / FILE).read_bytes()
    done = bags.converted(data, out=tmp_path / "store")
    assert (done.rows, done.added, done.relabelled, done.removed) == (6, 0, 0, 0)
    assert (tmp_path / "store" / FILE).read_bytes() == before


def test_a_store_made_in_steps_and_by_two_workers_has_the_same_bytes(data, converted, tmp_path):
    later = tmp_path / "later"
    later.mkdir()
    for number in (5, 6):
        (data / f"ep_{number:06d}").rename(later / f"ep_{number:06d}")
    bags.converted(data, out=tmp_path / "steps")
    for number in (5, 6):
        (later / f"ep_{number:06d}").rename(data / f"ep_{number:06d}")
    assert bags.converted(data, out=tmp_path / "steps").added == 2
    bags.converted(data, out=tmp_path / "parallel", workers=2)
    whole = {
        name: content.replace(
            str(converted.sample(0).provenance.folder).encode(), str(data).encode()
        )
        for name, content in rows.content(converted.path).items()
    }
    assert rows.content(tmp_path / "steps") == whole
    assert rows.content(tmp_path / "parallel") == whole
    assert Store.open(tmp_path / "parallel").hash == converted.hash


def test_relabelled_discarded_and_restored_episodes_are_followed(data, tmp_path):
    store = tmp_path / "store"
    bags.converted(data, out=store)
    catalogue.relabel(data, "ep_000002", object_name="spoon", outcome="slid", labels={"by": "me"})
    catalogue.discard(data, "ep_000004")
    done = bags.converted(data, out=store)
    assert (done.rows, done.relabelled, done.removed) == (5, 1, 1)
    opened = Store.open(store)
    opened.verify()
    second = opened.sample(1)
    assert (second.object, second.provenance.outcome) == ("spoon", "slid")
    assert second.provenance.labels == {"by": "me"}
    assert [told.id for told in opened.provenances()] == [f"ep_{n:06d}" for n in (1, 2, 3, 5, 6)]
    catalogue.restore(data, "ep_000004")
    assert bags.converted(data, out=store).added == 1


def test_a_folder_that_moved_is_recognised(data, tmp_path):
    store = tmp_path / "store"
    bags.converted(data, out=store)
    moved = tmp_path / "moved"
    data.rename(moved)
    done = bags.converted(moved, out=store)
    assert (done.rows, done.added, done.removed) == (6, 0, 0)
    assert Store.open(store).sample(0).provenance.folder == str(moved)
    shutil.rmtree(moved / "ep_000001")
    assert bags.converted(moved, out=store).removed == 1


def test_rows_of_other_folders_stay(data, tmp_path):
    store = tmp_path / "store"
    bags.converted(data, out=store)
    bags.record(tmp_path / "more", 2, start=20)
    done = bags.converted(tmp_path / "more", out=store)
    assert (done.rows, done.added, done.removed) == (8, 2, 0)


def test_a_row_stays_when_its_facts_cannot_be_read_now(data, tmp_path):
    bags.converted(data, out=tmp_path / "store")
    (data / "ep_000002" / "episode.json").write_text("{}")
    done = bags.converted(data, out=tmp_path / "store")
    assert (done.rows, done.removed, done.faults) == (6, 0, 1)


def test_other_settings_and_no_folder_are_refused(data, tmp_path):
    bags.converted(data, out=tmp_path / "store")
    other = bags.SMALL.model_copy(update={"picture_size": 64})
    with pytest.raises(StoreError, match="picture_size 32, now 64"):
        bags.converted(data, out=tmp_path / "store", settings=other)
    with pytest.raises(EpisodeError, match="expected a folder of episodes"):
        bags.converted(tmp_path / "nowhere", out=tmp_path / "store")
