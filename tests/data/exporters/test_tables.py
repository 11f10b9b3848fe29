import io
import json
import tarfile

import cv2
import numpy as np
import pyarrow.parquet as pq
import soundfile
import whole_episodes as rig

from policy_ros.data.exporters.groups import export
from policy_ros.data.exporters.parquet import ParquetFormat, ParquetSettings
from policy_ros.data.exporters.rows import FIELDS
from policy_ros.data.exporters.selection import select_episodes
from policy_ros.data.exporters.webdataset import WebDatasetFormat, WebDatasetSettings
from tiltbot_ros.episodes.reader import Episode


def chosen(folder):
    return select_episodes([folder], flagged=True).episodes


def test_a_parquet_table_holds_all_of_an_episode(recorded, tmp_path):
    export(ParquetFormat(ParquetSettings()), chosen(recorded), tmp_path / "out")
    file = pq.ParquetFile(tmp_path / "out" / "episodes-00000.parquet")
    assert file.num_row_groups == 3
    for number, row in enumerate(file.read().to_pylist()):
        episode = Episode.open(recorded / f"ep_{number + 1:06d}")
        tilt, sound = episode.tilt(), episode.audio()
        assert row["object"] == episode.facts.object
        assert (row["action_ax"], row["action_ay"]) == (tilt.ax, tilt.ay)
        assert row["contact_ns"] == episode.contact().stamp_ns
        samples, rate = soundfile.read(io.BytesIO(row["audio"]), dtype="int16")
        np.testing.assert_array_equal(samples, sound.samples)
        assert (rate, row["audio_format"]) == (44100, "flac")
        images = episode.images()
        for which in ("before", "after"):
            index = list(images.stamps_ns).index(row[f"{which}_ns"])
            picture = cv2.imdecode(np.frombuffer(row[which], np.uint8), cv2.IMREAD_COLOR)
            np.testing.assert_array_equal(picture[..., ::-1], images.frames[index])
            position = episode.locations().positions[index]
            assert row[f"location_{which}_x"] == position[0]
        assert row["before_ns"] <= tilt.start_ns
        assert row["after_ns"] >= min(tilt.end_ns, images.stamps_ns[-1])
        np.testing.assert_allclose(row["tray_x"], episode.tray().rotation_vectors[:, 0], atol=1e-6)
    columns = json.loads((tmp_path / "out" / "_columns.json").read_text())
    assert set(FIELDS) < set(columns) == set(file.schema_arrow.names)


def test_raw_sound_is_the_integers_themselves(recorded, tmp_path):
    settings = ParquetSettings(audio="raw")
    export(ParquetFormat(settings), chosen(recorded)[:1], tmp_path / "out")
    row = pq.read_table(tmp_path / "out").to_pylist()[0]
    samples = np.frombuffer(row["audio"], row["audio_format"]).reshape(-1, row["audio_channels"])
    np.testing.assert_array_equal(samples, Episode.open(recorded / "ep_000001").audio().samples)


def test_compressed_pictures_are_passed_on_as_they_are(moments, tmp_path):
    export(ParquetFormat(ParquetSettings()), chosen(moments)[:1], tmp_path / "out")
    row = pq.read_table(tmp_path / "out").to_pylist()[0]
    assert row["before_format"] == "jpeg"
    packed = Episode.open(moments / "ep_000001").deserialised(f"{rig.COLOR}/compressed")
    assert [row["before"], row["after"]] == [bytes(one.data) for one in packed]


def test_lost_frames_are_silence_of_their_length(tmp_path):
    rig.write(tmp_path / "data", rig.Wanted(lost_block=100))
    export(ParquetFormat(ParquetSettings()), chosen(tmp_path / "data"), tmp_path / "out")
    row = pq.read_table(tmp_path / "out").to_pylist()[0]
    samples, _ = soundfile.read(io.BytesIO(row["audio"]), dtype="int16")
    assert (len(samples), row["audio_missing"]) == (176400, rig.BLOCK)
    assert not samples[100 * rig.BLOCK : 101 * rig.BLOCK].any()
    assert not row["clean"]
    assert json.loads(row["problems"])


def test_shards_are_plain_tar_files_of_samples(recorded, moments, tmp_path):
    episodes = (*chosen(recorded), *chosen(moments))
    export(WebDatasetFormat(WebDatasetSettings(shard_mb=2)), episodes, tmp_path / "out")
    index = json.loads((tmp_path / "out" / "shards.json").read_text())
    assert sum(shard["samples"] for shard in index["shards"]) == 6
    assert len(index["shards"]) > 1
    samples = {}
    for shard in index["shards"]:
        with tarfile.open(tmp_path / "out" / shard["file"]) as file:
            for member in file:
                key, name = member.name.split(".", 1)
                samples.setdefault(key, {})[name] = file.extractfile(member).read()
    assert sorted(samples) == [f"{number:08d}" for number in range(6)]
    assert set(samples["00000000"]) == {"json", "flac", "before.png", "after.png", "tray.npy"}
    assert set(samples["00000005"]) == {"json", "flac", "before.jpg", "after.jpg", "tray.npy"}
    fields = json.loads(samples["00000004"]["json"])
    assert list(fields) == list(FIELDS)
    assert fields["object"] == "banana"
    tray = np.load(io.BytesIO(samples["00000004"]["tray.npy"]))
    episode = Episode.open(moments / "ep_000002")
    np.testing.assert_allclose(tray[:, 1:], episode.tray().rotation_vectors[:, :2], atol=1e-6)
    seconds = (episode.tray().stamps_ns - episode.contact().stamp_ns) / 1e9
    np.testing.assert_allclose(tray[:, 0], seconds, atol=1e-6)
