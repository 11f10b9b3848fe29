"""Plain files say what the bag says."""

import csv
import errno
import io
import json
import shutil
import tarfile

import cv2
import numpy as np
import pytest
import soundfile

from tiltbot_ros.episodes import giving
from tiltbot_ros.episodes.catalogue import list_episodes, relabel
from tiltbot_ros.episodes.exporting import ExportOptions
from tiltbot_ros.episodes.giving import export
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.errors import RecordingError


@pytest.fixture(scope="module")
def exported(recorded, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported") / "given"
    made = export(list_episodes(recorded), out, ExportOptions(bags=True))
    assert made.refused == ()
    return out


@pytest.fixture
def episode(recorded):
    return Episode.open(recorded / "ep_000001")


def test_the_sound_is_the_same_to_the_bit(exported, episode):
    samples, rate = soundfile.read(exported / "ep_000001" / "sound.wav", dtype="int16")
    sound = episode.audio()
    assert rate == sound.sample_rate
    assert np.array_equal(samples, sound.samples)
    times = json.loads((exported / "ep_000001" / "times.json").read_text())
    begin = (sound.first_stamp_ns - episode.facts.contact.stamp_ns) / 1e9
    assert times["sound.wav"] == pytest.approx(begin, abs=1e-6)


def test_the_pictures_are_those_before_and_after(exported, episode):
    images = episode.images()
    for name, index in (("before", 0), ("after", -1)):
        found = cv2.imread(str(exported / "ep_000001" / f"{name}.png"))[..., ::-1]
        assert found.shape == images.frames[0].shape
        same = [np.array_equal(found, frame) for frame in images.frames]
        assert any(same)
        if episode.facts.tilt is None:
            assert same[index]


def test_the_tables_are_those_of_the_bag(exported, episode):
    rows = np.loadtxt(exported / "ep_000001" / "tray.csv", delimiter=",", skiprows=1)
    tray = episode.tray()
    assert rows[:, 1:] == pytest.approx(tray.rotation_vectors, abs=1e-6)
    times = (tray.stamps_ns - episode.facts.contact.stamp_ns) / 1e9
    assert rows[:, 0] == pytest.approx(times, abs=1e-5)


def test_the_facts_are_a_line_of_a_table(exported, recorded):
    with (exported / "episodes.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    facts = [entry.facts for entry in list_episodes(recorded)]
    assert [line["id"] for line in lines] == [one.id for one in facts]
    assert [int(line["contact_ns"]) for line in lines] == [one.contact.stamp_ns for one in facts]
    assert (exported / "README.txt").is_file()
    assert Episode.open(recorded / "ep_000001").facts.id == "ep_000001"


def test_the_bag_is_given_along(exported, recorded):
    for name in ("ep_000001.mcap", "metadata.yaml"):
        given = exported / "ep_000001" / "bag" / name
        assert given.read_bytes() == (recorded / "ep_000001" / name).read_bytes()


@pytest.mark.parametrize("name", ["given.tar", "given.tar.gz", "given.tgz"])
def test_an_archive_holds_the_same(recorded, exported, tmp_path, name):
    made = export(list_episodes(recorded), tmp_path / name, ExportOptions(bags=True))
    with tarfile.open(tmp_path / name) as archive:
        members = {m.name: archive.extractfile(m).read() for m in archive if m.isfile()}
    files = {
        f"given/{file.relative_to(exported)}": file.read_bytes()
        for file in exported.rglob("*")
        if file.is_file()
    }
    assert members == files
    assert made.bytes == sum(map(len, files.values()))
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_all_frames_as_flac(recorded, tmp_path, episode):
    options = ExportOptions(sound="flac", frames="all")
    export(list_episodes(recorded)[:1], tmp_path / "out", options)
    place = tmp_path / "out" / "ep_000001"
    assert len(list((place / "frames").iterdir())) == len(episode.image_stamps())
    samples, _ = soundfile.read(place / "sound.flac", dtype="int16")
    assert np.array_equal(samples, episode.audio().samples)
    export(list_episodes(recorded)[:1], tmp_path / "none", ExportOptions(frames="none"))
    assert not list((tmp_path / "none").rglob("*.png"))


def test_labels_and_names_of_any_kind_stay_in_their_cells(recorded, tmp_path):
    data = shutil.copytree(recorded, tmp_path / "data")
    relabel(data, "ep_000001", object_name='a "mug",\nred', labels={"who": "ada;\n1,2"})
    export(list_episodes(data), tmp_path / "out", ExportOptions(frames="none"))
    text = (tmp_path / "out" / "episodes.csv").read_text()
    first = next(csv.DictReader(io.StringIO(text, newline="")))
    assert first["object"] == 'a "mug",\nred'
    assert json.loads(first["labels"]) == {"who": "ada;\n1,2"}


def test_what_cannot_be_read_is_named_and_the_rest_given(recorded, tmp_path):
    data = shutil.copytree(recorded, tmp_path / "data")
    (data / "ep_000001" / "ep_000001.mcap").write_bytes(b"short")
    made = export(list_episodes(data), tmp_path / "out", ExportOptions())
    assert made.episodes == ("ep_000002",)
    assert made.refused[0][0] == data / "ep_000001"
    assert not (tmp_path / "out" / "ep_000001").exists()


def test_nothing_is_written_over_and_no_half_is_left(recorded, tmp_path, monkeypatch):
    entries = list_episodes(recorded)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    for out in ("full", "full/mine"):
        with pytest.raises(RecordingError, match="new or empty folder"):
            export(entries, tmp_path / out, ExportOptions())
    with pytest.raises(RecordingError, match="every id once"):
        export([*entries, entries[0]], tmp_path / "twice.tar", ExportOptions())
    assert [path.name for path in tmp_path.iterdir()] == ["full"]

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(giving.Path, "write_bytes", full)
    with pytest.raises(RecordingError, match="No space left"):
        export(entries, tmp_path / "out", ExportOptions())
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
