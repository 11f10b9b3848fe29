import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tiltbot_ros.errors import ConfigError, FormatError, RecordingError
from tiltbot_ros.generating.push_folder import PushFolder
from tiltbot_ros.generating.push_plan import CAMERA, choose_objects, make_push_plan
from tiltbot_ros.generating.push_set import ARRAYS, MANIFEST, PushSet, crc32_of
from tiltbot_ros.generating.pushes import generate_pushes, make_batch
from tiltbot_ros.generating.table_view import TableView
from tiltbot_ros.worlds.object_body import rolls
from tiltbot_ros.worlds.objects import ObjectCatalogue
from tiltbot_ros.worlds.table import TableWorld

ROOT = Path(__file__).resolve().parents[2]


def quick(**options):
    """Return a plan of 2 pushes of each of 1 + 1 objects, in two batches."""
    given = {
        "pushes": 4,
        "seed": 4,
        "objects_per_set": 1,
        "batch_pushes": 2,
        "camera": CAMERA.model_copy(update={"width": 128, "height": 128}),
        "picture_pixels": 32,
        **options,
    }
    return make_push_plan(**given)


def fill(out, plan=None, **options):
    folder = PushFolder(out, plan or quick())
    try:
        return generate_pushes(folder, **options)
    finally:
        folder.close()


def content(out):
    return {file.name: file.read_bytes() for file in sorted(out.iterdir())}


@pytest.fixture(scope="session")
def pushes(tmp_path_factory):
    """Return a data set that one worker made, and how many pushes it told of meanwhile."""
    told = []
    out = tmp_path_factory.mktemp("pushes") / "set"
    fill(out, workers=1, tell=told.append)
    return out, told


def test_objects_that_do_not_roll_are_chosen_to_cover_the_materials():
    catalogue = ObjectCatalogue.load()
    for name in ("A", "B"):
        chosen = choose_objects(catalogue, name)
        assert len({spec.name for spec in chosen}) == 10
        assert all(spec.set == name and not rolls(spec) for spec in chosen)
        there = {spec.material for spec in catalogue.sets[name] if not rolls(spec)}
        assert {spec.material for spec in chosen} == there
    with pytest.raises(ConfigError, match="do not roll"):
        choose_objects(catalogue, "A", 30)


def test_plan_shares_the_pushes_out_and_rows_follow_each_other():
    plan = make_push_plan(pushes=1003)
    batches = plan.batches()
    per_object = np.bincount([b.label for b in batches], [b.pushes for b in batches])
    assert sorted(set(per_object.tolist())) == [50, 51]
    assert [b.row for b in batches] == np.cumsum([0, *(b.pushes for b in batches[:-1])]).tolist()
    with pytest.raises(ConfigError, match="at least one push"):
        make_push_plan(pushes=19)


def test_data_set_says_where_the_object_was_and_went(pushes):
    made = PushSet.open(pushes[0], verify_pictures=True)
    assert len(made) == 4
    half_m = made.manifest.half_side_m
    assert made.manifest.objects == ("002_master_chef_can", "003_cracker_box")
    np.testing.assert_array_equal(made.object, [0, 0, 1, 1])
    np.testing.assert_array_equal(made.number, [0, 1, 0, 1])
    np.testing.assert_array_equal(made.rows("train"), [0, 1])
    np.testing.assert_array_equal(made.rows("test"), [2, 3])
    assert made.rested.all()
    assert made.upright.min() > 0.99
    for location, truth in (
        (made.location_start, made.truth_start),
        (made.location_end, made.truth_end),
    ):
        error = np.hypot(*(location * half_m - truth[:, :2]).T)
        assert error.max() < 0.008
        assert error.min() > 0.0, "a measured location carries an error"
    moved = np.hypot(*(made.truth_end - made.truth_start)[:, :2].T)
    assert moved.min() > 0.005
    assert np.abs([made.push_start, made.push_end]).max() <= 1.0
    assert made.before.shape == made.after.shape == (4, 32, 32, 3)


def test_object_is_in_the_picture_where_its_location_says(pushes):
    made = PushSet.open(pushes[0])
    plan = quick()
    world = TableWorld(plan.table)
    view = TableView(world, plan.camera, seed=0)
    empty = cv2.resize(view.look(world, number=0).color, (32, 32), interpolation=cv2.INTER_AREA)
    view.close()
    side = made.before.shape[1]
    # Half the picture shows 1.15 m x tan(21 deg) of the table, less of what is nearer.
    heights = {"002_master_chef_can": 0.139, "003_cracker_box": 0.060}
    for picture, location, label in zip(made.after, made.location_end, made.object, strict=True):
        top_m = 1.15 - heights[made.manifest.objects[label]]
        # Brighter than the table in some colour: no shadow.
        rows, columns = np.nonzero((picture.astype(float) - empty).max(axis=2) > 25)
        centre = np.array([columns.mean() + 0.5, rows.mean() + 0.5]) / (side / 2) - 1.0
        seen = centre * [1.0, -1.0] * top_m * np.tan(np.radians(21.0))
        assert np.hypot(*(seen - location * made.manifest.half_side_m)) < 0.02


def test_same_seed_same_bytes_whatever_the_workers_and_the_batches(pushes, tmp_path):
    fill(tmp_path / "two", workers=2)
    assert content(tmp_path / "two") == content(pushes[0])
    plan = quick(batch_pushes=1)
    whole = [make_batch(plan, batch) for batch in plan.batches()]
    made = PushSet.open(pushes[0])
    for name in ARRAYS:
        joined = np.concatenate([batch[name] for batch in whole])
        np.testing.assert_array_equal(joined, getattr(made, name))


def test_another_seed_makes_other_pushes(pushes):
    plan = quick(seed=5)
    other = make_batch(plan, plan.batches()[0])
    assert (other["push_start"] != PushSet.open(pushes[0]).push_start[:2]).all()


def test_it_tells_how_far_it_is(pushes):
    assert pushes[1] == [0, 2, 4]


def test_what_was_finished_is_kept_and_the_rest_is_made(pushes, tmp_path):
    out = tmp_path / "set"
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[2])\n"
        "import test_pushes\n"
        "from pathlib import Path\n"
        "def tell(count):\n"
        "    if count >= 2: os.kill(os.getpid(), 9)\n"
        "if __name__ == '__main__':\n"
        "    test_pushes.fill(Path(sys.argv[1]), workers=1, tell=tell)\n"
    )
    file = tmp_path / "killed.py"
    file.write_text(script)
    done = subprocess.run(
        [sys.executable, file, out, Path(__file__).parent],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        timeout=120,
    )
    assert done.returncode == -9
    assert not (out / MANIFEST).exists()
    with pytest.raises(FormatError, match="last file"):
        PushSet.open(out)
    told = []
    fill(out, workers=1, tell=told.append)
    assert told[0] == 2
    assert content(out) == content(pushes[0])


def test_finished_folder_is_left_alone_and_other_options_are_refused(pushes):
    before = content(pushes[0])
    told = []
    assert len(fill(pushes[0], tell=told.append)) == 4
    assert told == [4]
    assert content(pushes[0]) == before
    with pytest.raises(ConfigError, match="seed 4, now 9"):
        fill(pushes[0], quick(seed=9))


def test_folder_with_something_else_or_in_use_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="other files"):
        PushFolder(tmp_path, quick())
    folder = PushFolder(tmp_path / "set", quick())
    with pytest.raises(RecordingError, match="another process"):
        PushFolder(tmp_path / "set", quick())
    folder.close()


def damaged(pushes, tmp_path):
    out = tmp_path / "damaged"
    out.mkdir()
    for name, data in content(pushes[0]).items():
        (out / name).write_bytes(data)
    return out


def test_damaged_files_are_named(pushes, tmp_path):
    out = damaged(pushes, tmp_path)
    file = out / "push_end.npy"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(FormatError, match=r"push_end.npy: expected CRC-32"):
        PushSet.open(out)
    file.write_bytes(whole[:-8])
    with pytest.raises(FormatError, match=r"push_end.npy: expected an array"):
        PushSet.open(out)
    file.write_bytes(whole)
    picture = out / "after.npy"
    picture.write_bytes(picture.read_bytes()[:-1] + b"\0")
    assert len(PushSet.open(out)) == 4
    with pytest.raises(FormatError, match=r"after.npy: expected CRC-32"):
        PushSet.open(out, verify_pictures=True)


def test_pickles_and_foreign_manifests_are_refused(pushes, tmp_path):
    out = damaged(pushes, tmp_path)
    np.save(out / "push_end.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(FormatError, match=r"push_end.npy: expected an array"):
        PushSet.open(out)
    manifest = json.loads((out / MANIFEST).read_text())
    for change, words in (
        ({"format_version": 99}, "expected format 1, got 99"),
        ({"arrays": {}}, "missing"),
        ({"half_side_m": "wide"}, "half_side_m"),
    ):
        (out / MANIFEST).write_text(json.dumps({**manifest, **change}))
        with pytest.raises(FormatError, match=words):
            PushSet.open(out)
    (out / MANIFEST).write_text("{")
    with pytest.raises(FormatError, match="not a manifest"):
        PushSet.open(out)


def test_crc_does_not_depend_on_how_the_rows_are_read():
    rows = np.arange(5_000_000, dtype=np.float32).reshape(-1, 5)
    assert crc32_of(rows) == crc32_of(np.asfortranarray(rows))
