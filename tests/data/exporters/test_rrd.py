import sys

import numpy as np
import pytest
import whole_episodes as rig

from policy_ros.data.exporters.rrd import SINCE, WAVE_HZ, export_rrd, spectra_db
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.errors import FormatError, MissingDependencyError


def entities(path):
    """Return the chunks of each entity, read back with Rerun's own library."""
    chunk = pytest.importorskip("rerun.chunk")
    found = {}
    for one in chunk.RrdReader(path).stream():
        found.setdefault(one.entity_path, []).append(one)
    return found


@pytest.mark.parametrize("form", ["recorded", "moments"])
def test_everything_of_an_episode_is_on_the_timeline(form, request, tmp_path):
    episode = Episode.open(request.getfixturevalue(form) / "ep_000001")
    out = tmp_path / "a" / "episode.rrd"
    export_rrd(episode, out)
    found = entities(out)
    rows = {
        name: sum(chunk.num_rows for chunk in chunks if not chunk.is_static)
        for name, chunks in found.items()
    }
    assert rows["/camera/color"] == len(episode.images().frames)
    assert rows["/tray/measured"] == rows["/world/tray"] == len(episode.tray().stamps_ns)
    assert rows["/tray/commanded"] == 401
    assert rows["/world/tray/object"] == 24
    assert rows["/contact"] == 1
    for microphone in range(4):
        assert rows[f"/sound/mic_{microphone}/waveform"] == pytest.approx(4 * WAVE_HZ, abs=20)
        assert rows[f"/sound/mic_{microphone}/spectrum"] > 150
        assert any(chunk.is_static for chunk in found[f"/sound/mic_{microphone}/spectrogram"])
    assert not list(tmp_path.rglob("*.partial"))


def test_times_and_values_are_those_of_the_bag(recorded, tmp_path):
    episode = Episode.open(recorded / "ep_000001")
    export_rrd(episode, tmp_path / "x.rrd")
    (chunk,) = (c for c in entities(tmp_path / "x.rrd")["/tray/measured"] if not c.is_static)
    batch = chunk.to_record_batch()
    names = batch.schema.names
    since = batch.column(names.index(SINCE)).cast("int64").to_numpy()
    tray = episode.tray()
    np.testing.assert_array_equal(since, tray.stamps_ns - episode.contact().stamp_ns)
    (scalars,) = (name for name in names if "calars" in name)
    values = np.array(batch.column(names.index(scalars)).to_pylist())
    np.testing.assert_allclose(values, tray.rotation_vectors[:, :2], atol=1e-9)


def test_spectra_are_in_decibels_of_full_scale():
    t = np.arange(44100) / 44100
    level = 0.1 * np.sin(2 * np.pi * 44100 * 100 / 1024 * t)
    spectra = spectra_db(level.astype(np.float32)[:, None])
    assert spectra.shape == (1, 43, 513)
    assert int(np.argmax(spectra[0, 20])) == 100
    assert spectra[0, 20, 100] == pytest.approx(-20, abs=0.1)


def test_what_is_there_is_not_overwritten(recorded, tmp_path):
    (tmp_path / "x.rrd").write_bytes(b"mine")
    with pytest.raises(FormatError, match="expected a file that does not exist yet"):
        export_rrd(Episode.open(recorded / "ep_000001"), tmp_path / "x.rrd")
    assert (tmp_path / "x.rrd").read_bytes() == b"mine"


def test_an_episode_without_pictures_or_tray_is_written_too(tmp_path):
    without = (rig.COLOR, "tray/pose", "tray/reference", "object_location", "tilt")
    (path,) = rig.write(tmp_path / "data", rig.Wanted(without=without))
    export_rrd(Episode.open(path), tmp_path / "x.rrd")
    found = entities(tmp_path / "x.rrd")
    assert "/sound/mic_3/waveform" in found
    assert "/camera/color" not in found


def test_a_missing_extra_is_told(recorded, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'tiltbot\[rerun\]'"):
        export_rrd(Episode.open(recorded / "ep_000001"), tmp_path / "x.rrd")
