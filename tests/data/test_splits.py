import json

import numpy as np
import pytest
import rows

from policy_ros.data.sample import Provenance
from policy_ros.data.splits import (
    PARTS,
    SplitSettings,
    make_splits,
    read_split,
    split_names,
    write_split,
)
from policy_ros.data.store import Store
from policy_ros.data.writer import StoreWriter
from tiltbot_ros.errors import StoreError

SETTINGS = SplitSettings(seed=3)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("splits") / "store"
    rows.write(path, range(150), rows.SMALL.model_copy(update={"shard_rows": 64}))
    return Store.open(path)


@pytest.fixture(scope="module")
def splits(store):
    return {split.name: split for split in make_splits(store, SETTINGS)}


def objects_of(store, part):
    return store.array("object")[:][np.array(part, int)]


def test_every_clean_row_is_in_one_part_of_the_split_of_all(store, splits):
    dealt = sorted(row for part in PARTS for row in splits["all"].part(part))
    assert dealt == np.flatnonzero(store.array("clean")[:]).tolist()


def test_each_object_is_dealt_out_in_the_same_proportion(store, splits):
    split = splits["all"]
    clean = store.array("clean")[:]
    objects = store.array("object")[:]
    for index in range(3):
        count = int((clean & (objects == index)).sum())
        test = int((objects_of(store, split.test) == index).sum())
        validation = int((objects_of(store, split.validation) == index).sum())
        assert test == round(0.2 * count)
        assert validation == round(0.1 * (count - test))


def test_splits_of_a_set_have_its_objects_alone(store, splits):
    assert splits["set_a"].objects == ("can", "mug")
    assert splits["set_b"].objects == ("cube",)
    for part in PARTS:
        assert set(objects_of(store, splits["set_a"].part(part))) <= {0, 1}
        assert set(objects_of(store, splits["set_b"].part(part))) == {2}


def test_from_a_to_b_learns_from_one_set_and_reports_on_the_other(splits):
    split = splits["a_to_b"]
    assert (split.train, split.validation) == (splits["set_a"].train, splits["set_a"].validation)
    assert split.test == splits["set_b"].test


def test_shots_are_nested_and_never_from_the_test_part(splits):
    one, five, ten = (splits[f"b_{count}_shot"] for count in (1, 5, 10))
    assert [len(split.train) for split in (one, five, ten)] == [1, 5, 10]
    assert set(one.train) < set(five.train) < set(ten.train) < set(splits["set_b"].train)
    assert one.test == ten.test == splits["set_b"].test


def test_more_shots_than_there_are_rows_are_refused_when_asked_for(store):
    with pytest.raises(StoreError, match="expected 1 to 31 shots"):
        make_splits(store, SETTINGS, shots=[100])
    with pytest.raises(StoreError, match="got 0"):
        make_splits(store, SETTINGS, shots=[0])


def test_the_same_seed_gives_the_same_splits_and_another_does_not(store, splits):
    again = {split.name: split for split in make_splits(store, SETTINGS)}
    assert again == splits
    other = {split.name: split for split in make_splits(store, SplitSettings(seed=4))}
    assert other["all"].test != splits["all"].test


def test_a_row_keeps_its_part_when_other_objects_come(store, splits, tmp_path):
    with StoreWriter(tmp_path / "more", store.settings, objects=rows.OBJECTS) as writer:
        for number in range(150):
            writer.add(rows.sample(number))
        writer.add(rows.sample(200, object="spoon"))
    grown = {s.name: s for s in make_splits(Store.open(tmp_path / "more"), SETTINGS)}
    assert grown["set_a"].test == splits["set_a"].test


def test_flagged_rows_are_used_when_asked_for(store):
    settings = SplitSettings(seed=3, flagged=True)
    split = make_splits(store, settings)[0]
    assert sum(len(split.part(part)) for part in PARTS) == 150


def test_recordings_that_overlap_stay_together(tmp_path):
    with StoreWriter(tmp_path / "store", rows.SMALL) as writer:
        for number in range(60):
            second = 10 * (number // 3) * 1_000_000_000 + (number % 3) * 100_000_000
            writer.add(
                rows.sample(
                    number,
                    object="mug",
                    clean=True,
                    start_ns=second,
                    provenance=Provenance(id=f"ep_{number}", folder="/a", origin="test"),
                )
            )
    split = make_splits(Store.open(tmp_path / "store"), SETTINGS)[0]
    for part in PARTS:
        groups = np.unique(split.part(part) // 3, return_counts=True)[1]
        assert (groups == 3).all()
    assert len(split.test) == 12


def test_a_split_is_read_back_by_name_and_by_file(store, splits):
    file = write_split(store, splits["set_a"])
    assert read_split(store, "set_a") == splits["set_a"]
    assert read_split(store, str(file)) == splits["set_a"]
    assert split_names(store) == ["set_a"]


def test_a_split_of_another_store_is_refused(store, splits, tmp_path):
    rows.write(tmp_path / "other", range(30))
    other = Store.open(tmp_path / "other")
    write_split(other, splits["all"])
    with pytest.raises(StoreError, match=f"expected a split of the store {other.hash}"):
        read_split(other, "all")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"test": [0]}, "changed"),
        ({"seed": 1}, "not a split"),
        ({"train": [1, 1]}, "every row in one part"),
        ({"version": 7}, "expected version 1"),
        ({"train": "all"}, "not a split"),
    ],
)
def test_a_changed_split_is_refused(store, splits, tmp_path, changes, said):
    file = tmp_path / "all.json"
    document = json.loads(splits["all"].model_dump_json())
    file.write_text(json.dumps({**document, **changes}))
    with pytest.raises(StoreError, match=said):
        read_split(store, str(file))


def test_an_unknown_split_is_refused_with_those_there_are(store, splits):
    write_split(store, splits["set_a"])
    with pytest.raises(StoreError, match="there are set_a"):
        read_split(store, "set_c")


def test_an_empty_store_has_no_splits(tmp_path):
    rows.write(tmp_path / "store", [])
    with pytest.raises(StoreError, match="expected rows to deal out"):
        make_splits(Store.open(tmp_path / "store"), SETTINGS)
