import json
import os
import pickle
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import rows

from policy_ros.data.arrays import ArrayWriter
from policy_ros.data.manifest import FILE, LeftOut, Manifest
from policy_ros.data.shards import Relabel
from policy_ros.data.store import Store
from policy_ros.data.store_settings import StoreSettings, array_specs
from policy_ros.data.writer import StoreWriter
from tiltbot_ros.errors import StoreError


def equal(one, other) -> bool:
    values = [(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)]
    return all(
        np.array_equal(a, b, equal_nan=True) if isinstance(a, np.ndarray) and a.dtype.kind == "f"
        else np.array_equal(a, b) if isinstance(a, np.ndarray)
        else a == b
        for a, b in values
    )  # fmt: skip


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "store"
    rows.write(path, range(10))
    return path


def test_every_sample_comes_back_as_it_was_added(store):
    opened = Store.open(store)
    assert len(opened) == 10
    assert [shard.rows for shard in opened.manifest.shards] == [4, 4, 2]
    for number in range(10):
        assert equal(opened.sample(number), rows.sample(number))
    assert [entry.name for entry in opened.objects] == ["mug", "can", "cube"]
    assert [entry.set for entry in opened.objects] == ["A", "A", "B"]
    opened.verify()


def test_arrays_are_read_by_row_slice_list_and_mask(store):
    opened = Store.open(store)
    whole = np.stack([rows.sample(n).before for n in range(10)])
    array = opened.array("before")
    assert array.shape == whole.shape
    assert np.array_equal(array[-1], whole[-1])
    assert np.array_equal(array[2:9:3], whole[2:9:3])
    mixed = np.array([9, 0, 4, 4, 7, 3])
    assert np.array_equal(array[mixed], whole[mixed])
    assert np.array_equal(array[np.arange(10) % 2 == 1], whole[1::2])
    assert np.array_equal(np.asarray(array), whole)
    for wrong in (10, -11, np.array([0, 10])):
        with pytest.raises(IndexError):
            array[wrong]


def test_the_files_are_plain_npy(store):
    loaded = np.load(store / "shard_00001" / "audio.npy", allow_pickle=False)
    assert np.array_equal(loaded[0], rows.sample(4).audio)


def test_a_store_made_in_steps_has_the_bytes_of_one_made_at_once(store, tmp_path):
    steps = tmp_path / "steps"
    for numbers in (range(3), range(3, 4), range(4, 9), range(9, 10)):
        rows.write(steps, numbers)
    assert rows.content(steps) == rows.content(store)
    assert Store.open(steps).hash == Store.open(store).hash


def test_the_hash_tells_data_and_settings_apart_but_not_places(store, tmp_path):
    first = Store.open(store).hash
    moved = tmp_path / "moved"
    store.rename(moved)
    assert Store.open(moved).hash == first
    rows.write(tmp_path / "other", [*range(9), 10])
    assert Store.open(tmp_path / "other").hash != first


def test_an_exception_costs_the_unfinished_shard_alone(tmp_path):
    path = tmp_path / "store"

    def interrupted():
        with StoreWriter(path, rows.SMALL) as writer:
            for number in range(6):
                writer.add(rows.sample(number))
            assert (len(writer), writer.unfinished) == (4, 2)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert len(Store.open(path)) == 4
    assert not list(path.glob("*.partial"))


def test_a_killed_writer_leaves_a_store_that_opens_and_goes_on(tmp_path, store):
    path = tmp_path / "killed"
    code = (
        "import sys, os, signal; sys.path[:0] = sys.argv[2:]\n"
        "import rows; from pathlib import Path\n"
        "from policy_ros.data.writer import StoreWriter\n"
        "writer = StoreWriter(Path(sys.argv[1]), rows.SMALL, objects=rows.OBJECTS)\n"
        "for n in range(7): writer.add(rows.sample(n))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    here = [Path(__file__).parent, Path.cwd()]
    done = subprocess.run([sys.executable, "-c", code, path, *here], check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(path.glob("*.partial"))
    assert len(Store.open(path)) == 4
    rows.write(path, range(4, 10))
    assert not list(path.glob("*.partial"))
    assert rows.content(path) == rows.content(store)


def test_relabelled_and_removed_rows_change_at_once(store):
    with StoreWriter(store) as writer:
        provenance = rows.sample(5).provenance
        writer.change(
            {
                5: Relabel(object="spoon", clean=False, provenance=provenance),
                0: None,
                8: None,
                9: None,
            }
        )
    opened = Store.open(store)
    opened.verify()
    assert len(opened) == 7
    left = [opened.sample(row) for row in range(7)]
    assert [one.provenance.id for one in left] == [f"ep_{n:06d}" for n in range(1, 8)]
    assert left[4].object == "spoon"
    assert not left[4].clean
    assert equal(left[6], rows.sample(7))
    folders = {folder.name for folder in store.glob("shard_*")}
    assert folders == {shard.name for shard in opened.manifest.shards}


def test_notes_of_what_is_left_out_are_kept_by_folder(store):
    def note(folder: str, number: int) -> LeftOut:
        return LeftOut(id=f"ep_{number}", folder=folder, cause="fault", reason="no sound")

    with StoreWriter(store) as writer:
        writer.leave_out(["/a"], [note("/a", 1), note("/a", 2)])
        writer.leave_out(["/b"], [note("/b", 3)])
        writer.leave_out(["/a"], [note("/a", 4)])
    assert [entry.id for entry in Store.open(store).manifest.left_out] == ["ep_3", "ep_4"]


def test_one_writer_at_a_time(store):
    with StoreWriter(store), pytest.raises(StoreError, match="another process writes"):
        StoreWriter(store)


def test_other_settings_are_refused_by_name(store):
    settings = rows.SMALL.model_copy(update={"picture_size": 16})
    with pytest.raises(StoreError, match="picture_size 8, now 16"):
        StoreWriter(store, settings)


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(StoreError, match=r"thesis\.tex"):
        StoreWriter(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"audio": np.zeros((4, 10), np.int16)}, "expected audio"),
        ({"before": np.zeros((8, 8, 3), np.float32)}, "expected before"),
        ({"action": np.array([1.5, 0], np.float32)}, "expected an action"),
        ({"action": np.array([np.nan, 0], np.float32)}, "finite action"),
        ({"object": ""}, "expected the name of an object"),
    ],
)
def test_a_sample_that_does_not_fit_is_refused_and_the_next_goes_in(tmp_path, changes, said):
    with StoreWriter(tmp_path / "store", rows.SMALL) as writer:
        with pytest.raises(StoreError, match=said):
            writer.add(rows.sample(0, **changes))
        writer.add(rows.sample(1))
    assert equal(Store.open(tmp_path / "store").sample(0), rows.sample(1))


@pytest.mark.parametrize("name", ["audio", "after", "clean"])
def test_files_cut_short_or_changed_are_named(store, name):
    file = store / "shard_00001" / f"{name}.npy"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with pytest.raises(StoreError, match=f"{name}.npy: expected {len(whole)} bytes"):
        Store.open(store)
    file.write_bytes(whole[:20] + b"X" + whole[21:])
    with pytest.raises(StoreError, match=f"{name}.npy: expected the header"):
        Store.open(store)
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(StoreError, match=f"{name}.npy: expected the CRC-32"):
        Store.open(store).verify()
    file.unlink()
    with pytest.raises(StoreError, match=f"{name}.npy: cannot be read"):
        Store.open(store)


def test_a_file_that_would_run_code_is_not_unpickled(store, tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "executed"),))

    file = store / "shard_00000" / "action.npy"
    np.save(file, np.array([Trap()], object), allow_pickle=True)
    with pytest.raises(StoreError, match=r"action\.npy"):
        Store.open(store)
    assert not (tmp_path / "executed").exists()


def test_a_corrupt_list_of_rows_is_named(store):
    file = store / "shard_00002" / "rows.jsonl"
    file.write_bytes(file.read_bytes().replace(b"ep_000009", b"ep_000008"))
    opened = Store.open(store)
    assert opened.provenance(0).id == "ep_000000"
    with pytest.raises(StoreError, match=r"rows\.jsonl: expected 2 lines"):
        opened.provenance(9)
    with pytest.raises(StoreError, match=r"rows\.jsonl"):
        opened.verify()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 2}, "expected version 1 of the format, got 2"),
        ({"format": "zarr"}, "expected the format"),
        ({"hash": "0" * 16}, "changed by hand"),
        ({"objects": []}, "changed by hand"),
        ({"shards": "none"}, "not the index"),
        ({"surprise": 1}, "not the index"),
    ],
)
def test_an_index_that_is_not_right_is_refused(store, changes, said):
    document = json.loads((store / FILE).read_text())
    (store / FILE).write_text(json.dumps({**document, **changes}))
    with pytest.raises(StoreError, match=said):
        Store.open(store)


def test_no_store_is_told_from_a_broken_one(store, tmp_path):
    with pytest.raises(StoreError, match="tiltbot convert"):
        Store.open(tmp_path / "nowhere")
    (store / FILE).unlink()
    with pytest.raises(StoreError, match=r"store\.json is missing: the store is not whole"):
        Store.open(store)


def test_object_indices_without_an_object_are_refused(store):
    manifest = Manifest.read(store)
    broken = manifest.model_copy(update={"objects": manifest.objects[:1]}).sealed()
    broken.write(store)
    with pytest.raises(StoreError, match=r"object\.npy: expected indices below 1"):
        Store.open(store)


def test_an_opened_store_can_be_sent_to_another_process(store):
    opened = pickle.loads(pickle.dumps(Store.open(store)))  # noqa: S301 - its own
    assert equal(opened.sample(3), rows.sample(3))
    sent = pickle.dumps(opened)
    rows.write(store, [10])
    with pytest.raises(StoreError, match="converted anew meanwhile"):
        pickle.loads(sent)  # noqa: S301 - its own


def test_an_empty_store_opens(tmp_path):
    rows.write(tmp_path / "store", [])
    opened = Store.open(tmp_path / "store")
    assert len(opened) == 0
    assert opened.array("audio")[:].shape[0] == 0


def test_clips_are_an_option(tmp_path):
    settings = StoreSettings(seconds=0.5, picture_size=8, clip=True)
    specs = {spec.name: spec.row for spec in array_specs(settings)}
    assert specs["clip"] == (3, 8, 8, 3)
    clip = np.arange(3 * 8 * 8 * 3).reshape(3, 8, 8, 3).astype(np.uint8)
    with StoreWriter(tmp_path / "store", settings) as writer:
        writer.add(rows.sample(1, settings, clip=clip))
    assert np.array_equal(Store.open(tmp_path / "store").sample(0).clip, clip)


def test_a_full_disk_is_told_and_finished_shards_stay(tmp_path, monkeypatch):
    path = tmp_path / "store"
    rows.write(path, range(4))

    def full(*_):
        raise OSError(28, "No space left on device")

    with StoreWriter(path) as writer:
        writer.add(rows.sample(4))
        monkeypatch.setattr("policy_ros.data.arrays.os.fsync", full)
        with pytest.raises(StoreError, match=r"No space left on device.*goes on"):
            writer.flush()
        monkeypatch.undo()
        writer.add(rows.sample(4))
    opened = Store.open(path)
    assert len(opened) == 5
    assert not list(path.glob("*.partial"))


def test_half_a_row_is_never_finished(tmp_path, monkeypatch):
    path = tmp_path / "store"
    append = ArrayWriter.append
    calls = iter(range(10**6))

    def interrupted(self, values):
        if next(calls) == 5 * 15 + 7:
            raise KeyboardInterrupt
        append(self, values)

    monkeypatch.setattr(ArrayWriter, "append", interrupted)
    with StoreWriter(path, rows.SMALL) as writer:
        for number in range(5):
            writer.add(rows.sample(number))
        with pytest.raises(KeyboardInterrupt):
            writer.add(rows.sample(5))
        writer.flush()
    opened = Store.open(path)
    opened.verify()
    assert len(opened) == 4
    rows.write(path, range(4, 10))
    assert len(Store.open(path)) == 10


def test_a_store_that_changes_while_it_is_opened_opens(store, monkeypatch):
    read = Manifest.read
    calls = []

    def meanwhile(path):
        manifest = read(path)
        if not calls:
            calls.append(1)
            rows.write(path, [10])
        return manifest

    monkeypatch.setattr(Manifest, "read", meanwhile)
    assert len(Store.open(store)) == 11
