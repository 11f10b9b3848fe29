import contextlib

import cv2
import numpy as np
import pytest
import release
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_ros.data.importers.actions import read_actions
from policy_ros.data.importers.importing import ImportOptions, import_sources
from policy_ros.data.importers.sound import SoundSettings, find_sounds
from tiltbot_ros.episodes.offline_session import CutOptions
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.writer import WriterSettings
from tiltbot_ros.errors import FormatError

CUT = CutOptions(rig="sound", max_tilt_rad=0.5, writer=WriterSettings(disk_floor_bytes=0))
SETTINGS = SoundSettings(max_tilt_rad=0.5, object="block")
TABLE = """start_s,end_s,rx_rad,ry_rad,object
2.7,4.7,0.3,0.1,mug
7.0,9.0,-0.2,0.25,
"""


@pytest.fixture(scope="module")
def sound():
    return release.sound()


def bring_in(where, out, table=None, **options):
    sources = find_sounds(where, table, SETTINGS)
    told = any(source.contacts_s for source in sources)
    return import_sources(sources, out, ImportOptions(cut=CUT, told=told, **options))


@pytest.fixture
def file(sound, tmp_path):
    path = tmp_path / "lab" / "first.wav"
    path.parent.mkdir()
    soundfile.write(path, sound, release.RATE, subtype="PCM_24")
    path.with_suffix(".csv").write_text(TABLE)
    return path


def test_a_long_file_is_cut_and_each_episode_has_its_action(file, tmp_path):
    report = bring_in(file, tmp_path / "out")
    assert (report.episodes, report.clean) == (2, 2), report
    first, second = (Episode.open(tmp_path / "out" / f"ep_00000{i}") for i in (1, 2))
    assert (first.facts.object, second.facts.object) == ("mug", "block")
    np.testing.assert_allclose([first.tilt().ax, first.tilt().ay], [0.6, 0.2])
    np.testing.assert_allclose(second.tilt().rotation[:2], [-0.2, 0.25])
    start_ns = SETTINGS.start_ns
    assert first.tilt().start_ns == start_ns + 2_700_000_000
    assert abs(first.contact().stamp_ns - start_ns - 3.5e9) < 3e6
    assert first.audio().full_scale == 1 << 23
    assert first.facts.labels == {"file": "first.wav", "pictures": "blank"}
    assert not first.images().frames.any()


def test_pictures_of_the_table_come_before_and_after(file, tmp_path):
    for name, grey in (("a.png", 60), ("b.jpg", 200)):
        cv2.imwrite(str(file.parent / name), np.full((32, 48, 3), grey, np.uint8))
    file.with_suffix(".csv").write_text(
        "start_s,end_s,ax,ay,before,after\n2.7,4.7,0.6,0.2,a.png,b.jpg\n"
    )
    bring_in(file, tmp_path / "out")
    images = Episode.open(tmp_path / "out" / "ep_000001").images()
    greys = images.frames.mean(axis=(1, 2, 3))
    np.testing.assert_allclose([greys[0], greys[-1]], [60, 200], atol=2)
    assert "pictures" not in Episode.open(tmp_path / "out" / "ep_000001").facts.labels


def test_contacts_of_the_table_are_taken_as_they_are(file, tmp_path):
    file.with_suffix(".csv").write_text(
        "start_s,end_s,ax,ay,contact_s\n2.7,4.7,0.6,0.2,3.5\n7.0,9.0,0,1,7.75\n"
    )
    report = bring_in(file, tmp_path / "out")
    contacts = [
        Episode.open(tmp_path / "out" / name).contact() for name in report.sources[0].episodes
    ]
    assert [c.stamp_ns - SETTINGS.start_ns for c in contacts] == [3_500_000_000, 7_750_000_000]
    assert contacts[0].channel == 0
    assert contacts[0].level == pytest.approx(0.5, rel=0.2)


def test_a_folder_of_clips_gives_an_episode_each(sound, tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    rate = release.RATE
    for number, knock in enumerate(release.KNOCKS_S):
        clip = sound[round((knock - 1.5) * rate) : round((knock + 1.0) * rate)]
        soundfile.write(folder / f"{number}.flac", clip, rate)
    (folder / "actions.csv").write_text(
        "file,start_s,end_s,ax,ay,object\n0.flac,0.5,2.0,1,0,mug\n1.flac,0.5,2.0,0,-1,can\n"
    )
    report = bring_in(folder, tmp_path / "out", whole=True)
    assert [len(source.episodes) for source in report.sources] == [1, 1], report
    episode = Episode.open(tmp_path / "out" / "ep_000002")
    assert episode.facts.object == "can"
    assert episode.tilt().ay == -1
    sound_of = episode.audio()
    at = (episode.contact().stamp_ns - sound_of.first_stamp_ns) / 1e9
    assert at == pytest.approx(1.5, abs=0.003)
    assert len(sound_of.samples) == round(2.5 * rate)


def test_a_clip_without_a_contact_is_told(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "quiet.wav"
    soundfile.write(path, rng.normal(0, 1e-3, (release.RATE, 4)), release.RATE)
    path.with_suffix(".csv").write_text("start_s,end_s,ax,ay\n0.1,0.5,1,0\n")
    (bad,) = bring_in(path, tmp_path / "out", whole=True).failed
    assert "quiet.wav: expected a contact in its 1.0 s of sound" in bad.problem


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("start_s,ax,ay\n1,0,0\n", r"expected the columns start_s, end_s"),
        ("start_s,end_s\n1,2\n", r"ax, ay or rx_rad, ry_rad"),
        ("start_s,end_s,ax,ay\n", r"expected a row for each action"),
        ("", r"expected the columns"),
        ("start_s,end_s,ax,ay\n1,2,zero,0\n", r"line 2: expected a number in ax, got 'zero'"),
        ("start_s,end_s,ax,ay\n1,2,nan,0\n", r"line 2: expected a finite number in ax"),
        ("start_s,end_s,ax,ay\n3,2,0,0\n", r"line 2: expected 0 <= start_s <= end_s"),
        ("start_s,end_s,ax,ay\n1,2,1,1\n", r"line 2: expected an action of length 1"),
        ("start_s,end_s,rx_rad,ry_rad\n1,2,0.6,0\n", r"greatest tilt 0.5 rad"),
        ("start_s,end_s,ax,ay,ax\n1,2,0,0,0\n", r"every column once"),
        ("start_s,end_s,ax,ay,before\n1,2,0,0,x.png\n", r"x\.png as before, found none"),
        ("start_s,end_s,ax,ay\n1,2,0\n", r"line 2: expected a number in ay, got None"),
    ],
)
def test_a_table_that_does_not_fit_is_told_with_its_line(tmp_path, table, told):
    path = tmp_path / "actions.csv"
    path.write_text(table)
    with pytest.raises(FormatError, match=told):
        read_actions(path, max_tilt_rad=0.5)


def test_a_table_that_is_no_text_or_not_there_is_told(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00start")
    for path in (tmp_path / "x.csv", tmp_path / "none.csv"):
        with pytest.raises(FormatError, match=f"{path.name}: expected a CSV file"):
            read_actions(path, max_tilt_rad=0.5)


def test_what_does_not_belong_together_is_told(file, sound, tmp_path):
    out = tmp_path / "out"
    for table, told in (
        ("start_s,end_s,ax,ay\n50,52,0,0\n", "within its 11.0 s"),
        ("start_s,end_s,ax,ay\n1,3,0,0\n2,4,0,0\n", "one after the other"),
    ):
        file.with_suffix(".csv").write_text(table)
        (bad,) = bring_in(file, out).failed
        assert told in bad.problem
    shared = tmp_path / "t.csv"
    shared.write_text("file,start_s,end_s,ax,ay\nother.wav,1,2,0,0\n")
    with pytest.raises(FormatError, match=r"got other\.wav"):
        bring_in(file, out, shared)
    soundfile.write(file.with_name("second.wav"), sound[:1000], release.RATE)
    shared.write_text("start_s,end_s,ax,ay\n1,2,0,0\n")
    with pytest.raises(FormatError, match="expected a column file, for there are 2 files"):
        bring_in(file.parent, out, shared)
    soundfile.write(file, sound[:, :2], release.RATE)
    file.with_suffix(".csv").write_text(TABLE)
    (bad,) = bring_in(file, out).failed
    assert "expected 4 channels, found 2" in bad.problem
    with pytest.raises(FormatError, match="expected WAV or FLAC files, found none"):
        find_sounds(tmp_path, None, SETTINGS)
    with pytest.raises(FormatError, match="found none"):
        find_sounds(tmp_path / "none", None, SETTINGS)


def test_a_disk_without_room_is_told_and_nothing_half_stays(file, tmp_path):
    cut = CutOptions(writer=WriterSettings(disk_floor_bytes=1 << 60))
    sources = find_sounds(file, None, SETTINGS)
    report = import_sources(sources, tmp_path / "out", ImportOptions(cut=cut))
    (bad,) = report.failed
    assert "make room on the disk" in bad.problem
    assert report.episodes == 0
    assert not list((tmp_path / "out").glob("ep_*"))
    assert bring_in(file, tmp_path / "out").episodes == 2


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_table_or_told(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_text("start_s,end_s,ax,ay,file\n" + text, encoding="utf-8", errors="replace")
    with contextlib.suppress(FormatError):
        read_actions(path, max_tilt_rad=0.5)
