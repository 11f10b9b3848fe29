import os
import pickle
import re
import shutil

import av
import cv2
import numpy as np
import pytest
import release
import soundfile

from policy_ros.data.importers.importing import ImportOptions, import_sources
from policy_ros.data.importers.pickles import load_pickle
from policy_ros.data.importers.release import ReleaseSource, look
from policy_ros.data.importers.release_names import find_experiments, stamp_ns
from policy_ros.data.importers.release_settings import ReleaseSettings
from policy_ros.data.importers.release_sound import open_sound
from policy_ros.data.importers.release_states import ReleaseStates
from policy_ros.data.importers.release_video import open_pictures
from tiltbot_ros.episodes.offline_session import CutOptions
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.threshold import ThresholdSettings
from tiltbot_ros.episodes.writer import WriterSettings
from tiltbot_ros.errors import FormatError

KEYS = {"tray_key": "state/orientation", "tray_form": "quaternion_xyzw"}
CUT = CutOptions(
    rig="tiltbot-release", max_tilt_rad=0.45, writer=WriterSettings(disk_floor_bytes=0)
)


@pytest.fixture
def experiment(made, tmp_path):
    """Return a copy that a test may damage."""
    target = tmp_path / "release" / "wooden_cube" / "exp_1"
    shutil.copytree(made, target)
    return target


def bring_in(folder, out, cut=CUT, **settings):
    chosen = ReleaseSettings(**settings)
    sources = [ReleaseSource(one, chosen) for one in find_experiments(folder)]
    return import_sources(sources, out, ImportOptions(cut=cut, settings=chosen.digest()))


@pytest.fixture(scope="module")
def imported(made, tmp_path_factory):
    out = tmp_path_factory.mktemp("imported")
    report = bring_in(made.parents[1], out, depth_mm=2.0, **KEYS)
    return report, [Episode.open(out / name) for name in report.sources[0].episodes]


def test_every_knock_becomes_a_clean_episode(imported):
    report, episodes = imported
    assert report.episodes == report.clean == len(release.KNOCKS_S)
    assert not report.failed
    for episode, knock in zip(episodes, release.KNOCKS_S, strict=True):
        assert episode.facts.verdict.problems == ()
        assert episode.facts.object == "wooden_cube"
        assert episode.facts.labels == {"experiment": "exp_1"}
        off_ns = episode.contact().stamp_ns - release.START_NS - round(knock * 1e9)
        assert abs(off_ns) < 3e6


def test_channels_come_in_the_order_of_the_release(imported):
    for episode in imported[1]:
        sound = episode.audio()
        at = (episode.contact().stamp_ns - sound.first_stamp_ns) * release.RATE // 10**9
        ring = sound.samples[at : at + 8192].astype(float)
        heights = np.argmax(np.abs(np.fft.rfft(ring, axis=0)), axis=0) * release.RATE / 8192
        np.testing.assert_allclose(heights, [600, 900, 1200, 1500], atol=20)
        peaks = np.abs(ring).max(axis=0) / 32768
        np.testing.assert_allclose(peaks, release.LEVELS, rtol=0.2)


def test_tilts_are_found_in_the_motion_of_the_tray(imported):
    for episode, (start, end, rotation) in zip(imported[1], release.TILTS, strict=True):
        tilt = episode.tilt()
        np.testing.assert_allclose(tilt.rotation, [*rotation, 0], atol=1e-3)
        np.testing.assert_allclose([tilt.ax, tilt.ay], np.divide(rotation, 0.45), atol=3e-3)
        np.testing.assert_allclose(
            np.subtract([tilt.start_ns, tilt.end_ns], release.START_NS) / 1e9,
            [start, end],
            atol=0.15,
        )


def test_the_tray_moves_in_the_frame_of_the_level_tray(imported):
    for episode in imported[1]:
        tray = episode.tray()
        expected = [
            release.rotation_at((stamp - release.START_NS) / 1e9) for stamp in tray.stamps_ns
        ]
        np.testing.assert_allclose(tray.rotation_vectors, expected, atol=1e-6)
        assert 395 <= len(expected) <= 401


def test_pictures_keep_their_time_stamps(imported):
    for episode in imported[1]:
        images = episode.images()
        assert 23 <= len(images.frames) <= 25
        for stamp, frame in zip(images.stamps_ns, images.frames, strict=True):
            number = round(((stamp - release.START_NS) / 1e9 - 0.05) * release.FPS)
            assert abs(frame.mean() - release.brightness(number)) < 6
        depth = episode.images("camera/aligned_depth_to_color/image_raw")
        assert depth.encoding == "16UC1"
        assert abs(depth.frames[0].mean() - 2 * images.frames[0].mean()) < 12


def test_commanded_actions_are_taken_where_a_key_names_them(made, tmp_path):
    bring_in(made, tmp_path / "out", action_key="action", max_tilt_rad=0.5)
    episode = Episode.open(tmp_path / "out" / "ep_000001")
    np.testing.assert_allclose([episode.tilt().ax, episode.tilt().ay], [0.6, 0.2], atol=3e-3)
    assert "tray/pose" not in {topic.name for topic in episode.constant.topics}


def test_without_keys_the_states_are_left_out_and_described(made, tmp_path):
    report = bring_in(made, tmp_path / "out")
    (source,) = report.sources
    assert source.clean == 2
    assert any(
        "--tray-key" in remark and "state/orientation" in remark for remark in source.remarks
    )
    assert Episode.open(tmp_path / "out" / "ep_000001").tilt() is None
    lines = look(made / "data" / "data.pkl", ReleaseSettings())
    assert lines == (
        "state/orientation: float64 (4,)",
        "state/position: list of 3",
        "action: float64 (3,)",
    )


def test_the_papers_threshold_cuts_the_same_knocks(made, tmp_path):
    paper = CutOptions(detector=ThresholdSettings(), writer=WriterSettings(disk_floor_bytes=0))
    report = bring_in(made, tmp_path / "out", cut=paper, **KEYS)
    assert report.episodes == 2
    for name, knock in zip(report.sources[0].episodes, release.KNOCKS_S, strict=True):
        contact = Episode.open(tmp_path / "out" / name).contact()
        assert abs(contact.stamp_ns - release.START_NS - knock * 1e9) < 2e6


def test_a_second_import_brings_nothing_twice(experiment, tmp_path):
    out = tmp_path / "out"
    first = bring_in(experiment, out, **KEYS)
    again = bring_in(experiment, out, **KEYS)
    assert (first.before, again.before) == (0, 1)
    assert again.sources == first.sources
    os.utime(experiment / "data" / "data.pkl")  # a changed file is another recording
    assert bring_in(experiment, out, **KEYS).sources[0].episodes == ("ep_000003", "ep_000004")


def test_what_a_killed_import_left_is_cut_again(experiment, tmp_path):
    out = tmp_path / "out"
    first = bring_in(experiment, out, **KEYS)
    half = out / ".import" / "current"
    shutil.copytree(out / "ep_000001", half / "ep_000007")
    for name in first.sources[0].episodes:
        shutil.rmtree(out / name)
    (out / ".import" / f"{first.sources[0].key}.json").unlink()
    again = bring_in(experiment, out, **KEYS)
    assert again.sources[0].episodes == ("ep_000003", "ep_000004")
    assert not half.exists()


def test_what_was_cut_but_not_moved_on_is_only_moved(experiment, tmp_path):
    out = tmp_path / "out"
    first = bring_in(experiment, out, **KEYS)
    half = out / ".import" / "current"
    half.mkdir()
    (out / "ep_000002").rename(half / "ep_000002")
    (out / ".import" / f"{first.sources[0].key}.json").rename(half / "report.json")
    again = bring_in(experiment, out, **KEYS)
    assert again.before == 1
    assert Episode.open(out / "ep_000002").check().clean


def test_unpacked_folders_of_the_releases_own_script_are_read(experiment, tmp_path):
    audio = experiment / "audio"
    for file in audio.iterdir():
        file.unlink()
    soundfile.write(audio / f"{release.name_at(0.0)}.wav", release.sound(), release.RATE)
    rgb = experiment / "rgb"
    pairs = load_pickle(rgb / "correspondence.pkl")
    with av.open(str(rgb / "video.mp4")) as container:
        for (_, name), frame in zip(pairs, container.decode(video=0), strict=True):
            cv2.imwrite(str(rgb / name), frame.to_ndarray(format="bgr24"))
    (rgb / "video.mp4").unlink()
    (rgb / "correspondence.pkl").unlink()
    report = bring_in(experiment, tmp_path / "out", **KEYS)
    assert report.clean == 2, report
    assert len(Episode.open(tmp_path / "out" / "ep_000001").images().frames) == 24


DAMAGES = {
    r"data\.pkl: refused the name '\w+\.system'": lambda e: _hostile(e / "data/data.pkl"),
    r"correspondence\.pkl: refused the name": lambda e: _hostile(e / "rgb/correspondence.pkl"),
    r"data\.pkl: expected \d+ bytes more": lambda e: _cut_short(e / "data/data.pkl"),
    r"video\.mp4: the video cannot be read": lambda e: _cut_short(e / "rgb/video.mp4"),
    r"audio: expected the files \[0, 1, 2, 3\]": lambda e: _sounds(e)[1].unlink(),
    r"_2\.mp3: damaged|of one length": lambda e: _cut_short(_sounds(e)[2]),
    r"expected an MP3 file": lambda e: _sounds(e)[0].write_bytes(b"no sound" * 99),
    r"found those of 2": lambda e: _sounds(e)[0].with_name("2020-1-1-1-1-1-1_0.mp3").touch(),
    r"expected beside rgb": lambda e: (e / "rgb/correspondence.pkl").unlink(),
    r"expected a dictionary": lambda e: _pickled(e / "data/data.pkl", [1]),
    r"data\.pkl: expected a name": lambda e: _pickled(e / "data/data.pkl", {"noon": {}}),
    r"correspondence\.pkl: expected a name such as": lambda e: _pickled(
        e / "rgb/correspondence.pkl", [("file0000001.jpg", "2019-13-1-0-0-0-0.jpg")]
    ),
    r"frames of correspondence\.pkl, found 66": lambda e: _pickled(
        e / "rgb/correspondence.pkl",
        [(f"file{i + 1:07d}.jpg", release.name_at(i / 6)) for i in range(67)],
    ),
}


@pytest.mark.parametrize("told", DAMAGES)
def test_what_is_wrong_is_told_with_its_file(experiment, tmp_path, told):
    DAMAGES[told](experiment)
    (bad,) = bring_in(experiment, tmp_path / "out", **KEYS).failed
    assert re.search(told, bad.problem), bad.problem
    assert str(experiment) in bad.problem
    assert not list((tmp_path / "out").glob("ep_*"))


def test_the_others_are_imported(experiment, made, tmp_path):
    _hostile(experiment / "data" / "data.pkl")
    shutil.copytree(made, experiment.parent / "exp_2")
    report = bring_in(experiment.parents[1], tmp_path / "out", **KEYS)
    bad, good = report.sources
    assert report.failed == (bad,)
    assert good.episodes == ("ep_000001", "ep_000002")


def _sounds(experiment):
    return sorted((experiment / "audio").iterdir())


def _pickled(path, value):
    path.write_bytes(pickle.dumps(value))


def _hostile(path):
    path.write_bytes(b"cposix\nsystem\n(S'echo run'\ntR.")


def _cut_short(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_wrong_keys_are_told_with_what_there_is(made):
    states = ReleaseStates(made / "data" / "data.pkl", ReleaseSettings(tray_key="state/pose"))
    with pytest.raises(FormatError, match=r"'state/pose'.*state/orientation: float64 \(4,\)"):
        states.orientations()
    states = ReleaseStates(
        made / "data" / "data.pkl", ReleaseSettings(tray_key="state/position", tray_form="matrix")
    )
    with pytest.raises(FormatError, match="expected 9 or 16 finite numbers"):
        states.orientations()


def test_axes_turn_the_tray(made):
    plain = ReleaseStates(made / "data" / "data.pkl", ReleaseSettings(**KEYS))
    turned = ReleaseStates(made / "data" / "data.pkl", ReleaseSettings(**KEYS, tray_axes="+y-x+z"))
    (first, _), (other, _) = (s.tilts(s.orientations()) for s in (plain, turned))
    # The tray's x axis is the given frame's y, its y axis the given frame's -x.
    np.testing.assert_allclose(other.rotation, [first.rotation[1], -first.rotation[0]], atol=1e-9)
    with pytest.raises(FormatError, match="right-handed"):
        ReleaseStates(
            made / "data" / "data.pkl", ReleaseSettings(**KEYS, tray_axes="+x+y-z")
        ).orientations()


def test_names_tell_the_time(tmp_path):
    assert stamp_ns("2019-5-21-14-3-2-7.jpg", tmp_path) == release.START_NS
    for name in ("2019-5-21-14-3-2.jpg", "noon", "2019-2-30-1-1-1-1.jpg", "a-b-c-d-e-f-g"):
        with pytest.raises(FormatError, match="expected a name such as"):
            stamp_ns(name, tmp_path)


@pytest.mark.parametrize("up", [0, 1, 2])
def test_a_release_an_object_or_an_experiment_can_be_named(made, up):
    folder = (made, *made.parents)[up]
    (found,) = find_experiments(folder)
    assert (found.object, found.name) == ("wooden_cube", "exp_1")


def test_a_folder_without_experiments_is_refused(tmp_path):
    with pytest.raises(FormatError, match="found no folder 'audio'"):
        find_experiments(tmp_path)
    with pytest.raises(FormatError, match="found none"):
        find_experiments(tmp_path / "nothing")


def test_pictures_and_sound_may_be_asked_alone(made, tmp_path):
    assert open_pictures(tmp_path / "depth") is None
    assert open_sound(made / "audio", (2, 0, 1, 3)).format.channels == 4
    with pytest.raises(FormatError, match=r"expected the files \[0, 1, 4\]"):
        open_sound(made / "audio", (0, 1, 4))
