import json
import shutil

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
import whole_episodes as rig

from policy_ros.data.exporters import lerobot_stats
from policy_ros.data.exporters.groups import export
from policy_ros.data.exporters.lerobot import LeRobotFormat, LeRobotSettings
from policy_ros.data.exporters.lerobot_check import check_lerobot
from policy_ros.data.exporters.lerobot_frames import CAMERA, frames_of, layout_of
from policy_ros.data.exporters.selection import select_episodes
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.errors import FormatError


def bring_out(folder, out, **settings):
    chosen = select_episodes([folder], flagged=True).episodes
    return export(LeRobotFormat(LeRobotSettings(**settings)), chosen, out)


def rows(dataset):
    return pq.read_table(dataset / "data/chunk-000/file-000.parquet")


def sound_of(table):
    """Return the sound of all frames, one after the other, (frames, channels)."""
    column = table["observation.audio"].combine_chunks()
    return column.flatten().flatten().to_numpy().reshape(-1, 4)


def test_it_conforms_to_the_published_schema(dataset):
    assert check_lerobot(dataset) == ()
    files = sorted(
        str(path.relative_to(dataset)) for path in dataset.rglob("*.*") if path.is_file()
    )
    assert files == [
        "data/chunk-000/file-000.parquet",
        "meta/episodes/chunk-000/file-000.parquet",
        "meta/info.json",
        "meta/stats.json",
        "meta/tasks.parquet",
        f"videos/{CAMERA}/chunk-000/file-000.mp4",
    ]
    info = json.loads((dataset / "meta/info.json").read_text())
    assert (info["codebase_version"], info["fps"]) == ("v3.0", 6)
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (3, 72, 2)


def test_frames_hold_what_the_bags_hold(dataset, recorded):
    table = rows(dataset).drop_columns(["observation.audio"])
    for number, path in enumerate(sorted(recorded.glob("ep_*"))):
        episode = Episode.open(path)
        part = table.slice(24 * number, 24)
        stamps = episode.images().stamps_ns
        assert part["picture_stamp_ns"].to_pylist() == stamps.tolist()
        reference = episode.poses("tray/reference")
        for row, stamp in zip(part.to_pylist(), stamps, strict=True):
            at = np.searchsorted(reference.stamps_ns, stamp, "right") - 1
            np.testing.assert_allclose(row["action"], reference.rotation_vectors[at, :2], atol=1e-6)
            seen = episode.locations()
            (index,) = np.flatnonzero(seen.stamps_ns == stamp)
            np.testing.assert_allclose(
                row["observation.object_location"], [*seen.positions[index, :2], 1], atol=1e-6
            )
        tilt = episode.tilt()
        assert part["tilt"].to_pylist() == [pytest.approx([tilt.ax, tilt.ay])] * 24


def test_the_sound_of_the_frames_is_the_sound_of_the_bag(dataset, recorded):
    episode = Episode.open(recorded / "ep_000002")
    sound, stamps = episode.audio(), episode.images().stamps_ns
    joined = sound_of(rows(dataset).slice(24, 24))
    first = round((stamps[0] - sound.first_stamp_ns) * 44100 / 1e9)
    expected = sound.samples[first : first + len(joined)]
    assert joined.shape == (24 * 7350, 4)
    np.testing.assert_array_equal(joined[: len(expected)], expected)
    assert not joined[len(expected) :].any()
    heard = rows(dataset).slice(24, 24)["contact"].to_pylist()
    assert sum(heard) == 1
    block = np.abs(joined.reshape(24, 7350, 4)).max(axis=(1, 2))
    assert int(np.argmax(block)) == heard.index(True)


def test_the_video_shows_the_pictures_at_their_times(dataset, recorded):
    pictures = np.concatenate(
        [Episode.open(path).images().frames for path in sorted(recorded.glob("ep_*"))]
    )
    with av.open(str(dataset / f"videos/{CAMERA}/chunk-000/file-000.mp4")) as container:
        frames = [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]
    np.testing.assert_allclose([time for time, _ in frames], np.arange(72) / 6, atol=1e-6)
    for (_, shown), picture in zip(frames, pictures, strict=True):
        assert np.abs(shown.astype(int) - picture).mean() < 4


def test_episodes_carry_where_they_are_from(dataset, recorded):
    table = pq.read_table(dataset / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [row["tiltbot/object"] for row in table] == ["mug", "banana", "mug"]
    assert [row["tiltbot/contact_ns"] for row in table] == [
        rig.EPOCH_NS + i * 20 * rig.NS for i in range(3)
    ]
    assert [row["tasks"] for row in table][1] == ["Tilt the tray so that the banana hits a wall."]
    facts = Episode.open(recorded / "ep_000003").facts
    assert table[2]["tiltbot/bag_crc32"] == facts.bag_crc32
    assert [row[f"videos/{CAMERA}/from_timestamp"] for row in table] == [0, 4, 8]


def test_statistics_are_those_of_the_data(dataset, recorded):
    stats = json.loads((dataset / "meta/stats.json").read_text())
    actions = np.array(rows(dataset)["action"].to_pylist())
    for name, function in (("min", np.min), ("max", np.max), ("mean", np.mean), ("std", np.std)):
        np.testing.assert_allclose(stats["action"][name], function(actions, axis=0), atol=1e-6)
    assert stats["action"]["count"] == [72]
    sound = sound_of(rows(dataset)).astype(float)
    np.testing.assert_allclose(stats["observation.audio"]["mean"], sound.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(stats["observation.audio"]["std"], sound.std(axis=0), rtol=1e-6)
    pictures = np.concatenate(
        [Episode.open(path).images().frames for path in sorted(recorded.glob("ep_*"))]
    )
    mean = pictures.reshape(-1, 3).mean(axis=0) / 255
    np.testing.assert_allclose(np.ravel(stats[CAMERA]["mean"]), mean, atol=1e-6)
    std = pictures.reshape(-1, 3).std(axis=0) / 255
    np.testing.assert_allclose(np.ravel(stats[CAMERA]["std"]), std, atol=1e-6)


def test_quantiles_of_pictures_are_those_of_their_pixels():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (5, 40, 30, 3), dtype=np.uint8) // np.array([1, 2, 4], np.uint8)
    found = lerobot_stats.of_pictures(pictures)
    for name, part in lerobot_stats.QUANTILES.items():
        expected = np.quantile(pictures.reshape(-1, 3) / 255, part, axis=0)
        np.testing.assert_allclose(np.ravel(found[name]), expected, atol=1.01 / 255)


def test_before_and_after_alone_make_two_frames(moments, tmp_path):
    report = bring_out(moments, tmp_path / "out")
    assert report.exported == 3, report
    assert check_lerobot(tmp_path / "out") == ()
    table = rows(tmp_path / "out")
    assert table.num_rows == 6
    episode = Episode.open(moments / "ep_000001")
    tilt, sound = episode.tilt(), episode.audio()
    np.testing.assert_allclose(table["action"][0].as_py(), tilt.rotation[:2], atol=1e-6)
    halves = sound_of(table.slice(0, 2))
    np.testing.assert_array_equal(halves, sound.samples[: len(halves)])
    assert table["contact"].to_pylist()[:2] == [False, True]
    assert table["picture_stamp_ns"].to_pylist()[:2] == episode.images().stamps_ns.tolist()


def test_sound_is_resampled_on_request(recorded, tmp_path):
    bring_out(recorded, tmp_path / "out", audio_hz=11025)
    assert check_lerobot(tmp_path / "out") == ()
    table = rows(tmp_path / "out")
    # 1837.5 frames of sound a picture: one more, of which the next repeats the last.
    assert len(sound_of(table)) == 72 * 1838
    episode = Episode.open(recorded / "ep_000001")
    full = frames_of(episode, layout_of(episode, audio_hz=0)).columns["observation.audio"][12]
    heard = sound_of(table.slice(12, 1)).astype(float)
    assert np.abs(heard).max() == pytest.approx(np.abs(full.astype(float)).max(), rel=0.3)


def test_episodes_unlike_the_first_are_left_out_and_told(tmp_path):
    folder = tmp_path / "data"
    rig.write(folder, rig.Wanted())
    rig.write(folder, rig.Wanted(contact_ns=rig.EPOCH_NS + 20 * rig.NS, without=("tray/pose",)))
    rig.write(folder, rig.Wanted(contact_ns=rig.EPOCH_NS + 40 * rig.NS, without=("tilt",)))
    rig.write(folder, rig.Wanted(contact_ns=rig.EPOCH_NS + 60 * rig.NS, without=(rig.COLOR,)))
    report = bring_out(folder, tmp_path / "out")
    assert report.exported == 1
    told = [one.reason for one in report.left_out]
    assert "ep_000002: expected a measured tray True as in the other episodes" in told[0]
    assert "ep_000003: expected the tilt that made the contact, found none" in told[1]
    assert "ep_000004: expected one of the topics" in told[2]
    assert check_lerobot(tmp_path / "out") == ()


def test_a_corrupt_episode_is_left_out_with_its_file(recorded, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(recorded, folder)
    bag = folder / "ep_000001" / "ep_000001.mcap"
    bag.write_bytes(bag.read_bytes()[:-100])
    report = bring_out(folder, tmp_path / "out")
    assert report.exported == 2
    assert "ep_000001.mcap" in report.left_out[0].reason
    assert check_lerobot(tmp_path / "out") == ()


def test_nothing_that_fits_is_an_error(tmp_path):
    rig.write(tmp_path / "data", rig.Wanted(without=("tilt",)))
    with pytest.raises(FormatError, match="found none"):
        bring_out(tmp_path / "data", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_reader_reads_it(dataset):
    reader = pytest.importorskip("rerun.experimental").LeRobotReader(dataset)
    assert len(reader.episodes()) == 3
    rows_by_entity = {}
    for chunk in reader.stream(1):
        if not chunk.is_static:
            rows_by_entity.setdefault(chunk.entity_path, []).append(chunk.num_rows)
    found = {name: sum(counts) for name, counts in rows_by_entity.items()}
    assert found.pop(f"/{CAMERA}") >= 24
    assert found == {
        "/action": 24,
        "/observation.state": 24,
        "/observation.object_location": 24,
        "/tilt": 24,
        "/task": 24,
    }
