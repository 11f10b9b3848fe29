"""`tiltbot segment`: long recordings to episodes, offline."""

import json

import numpy as np
import pytest
import soundfile

from tiltbot_ros.episodes.reader import Episode

RATE = 44100
TIMES = (1.0, 5.0, 6.0, 15.0, 19.5)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return a file of 20 s with knocks at TIMES; the second of a pair is the louder."""
    rng = np.random.default_rng(5)
    samples = rng.normal(0, 0.001, (20 * RATE, 4))
    t = np.arange(RATE // 4) / RATE
    for time, level in zip(TIMES, (0.3, 0.2, 0.5, 0.3, 0.3), strict=True):
        knock = level * np.exp(-40 * t) * np.sin(2 * np.pi * 900 * t)
        samples[int(time * RATE) :][: len(t)] += knock[:, None] * [0.3, 0.4, 1.0, 0.2]
    path = tmp_path_factory.mktemp("sound") / "long.wav"
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    return path


def fates(out: str) -> list[tuple[float, str]]:
    return [(round(c["time_s"], 1), c["fate"]) for c in json.loads(out)["contacts"]]


def test_every_contact_has_a_time_and_a_fate(tiltbot, sound, tmp_path):
    status, out, _ = tiltbot(
        "segment", sound, "--out", tmp_path / "out", "--object", "mug", "--json"
    )
    report = json.loads(out)
    assert status == 0
    assert fates(out) == [
        (1.0, "outside"),
        (5.0, "episode"),
        (6.0, "suppressed"),
        (15.0, "episode"),
        (19.5, "outside"),
    ]
    assert {c["channel"] for c in report["contacts"]} == {2}
    assert (report["episodes"], report["clean"]) == (2, 2)
    assert report["seconds"] == 20.0
    assert [c["episode"] for c in report["contacts"] if c["episode"]] == ["ep_000001", "ep_000002"]
    for number, time in ((1, 5.0), (2, 15.0)):
        episode = Episode.open(tmp_path / "out" / f"ep_{number:06d}")
        assert episode.facts.object == "mug"
        assert episode.contact().sample == pytest.approx(time * RATE, abs=0.01 * RATE)


def test_people_read_the_same(tiltbot, sound, tmp_path):
    status, out, _ = tiltbot("segment", sound, "--out", tmp_path / "out", "--object", "mug")
    lines = out.splitlines()
    assert status == 0
    assert lines[0].endswith("outside: too near to the start of the recording")
    assert lines[1].endswith("ep_000001")
    assert lines[2].endswith("suppressed: its window would overlap another's")
    assert lines[4].endswith("outside: too near to the end of the recording")
    assert "5 contacts in 20.0 s; 2 episodes" in lines[-1]


def test_the_policy_decides_between_close_contacts(tiltbot, sound, tmp_path):
    _, out, _ = tiltbot(
        "segment", sound, "--out", tmp_path / "a", "--policy", "strongest", "--json"
    )
    assert fates(out)[1:3] == [(5.0, "suppressed"), (6.0, "episode")]
    _, out, _ = tiltbot("segment", sound, "--out", tmp_path / "b", "--policy", "all", "--json")
    assert fates(out)[1:3] == [(5.0, "episode"), (6.0, "episode")]


def test_a_second_recording_continues_the_folder(tiltbot, sound, tmp_path):
    for _ in range(2):
        assert tiltbot("segment", sound, "--out", tmp_path / "out")[0] == 0
    _, out, _ = tiltbot("episodes", "ls", tmp_path / "out", "--json")
    assert [e["id"] for e in json.loads(out)["episodes"]] == [f"ep_{i:06d}" for i in (1, 2, 3, 4)]


def test_a_bag_is_cut_with_the_windows_of_a_rig(tiltbot, recorded, tmp_path):
    rig = tmp_path / "short.yaml"
    rig.write_text("recorder: {before_s: 0.8, after_s: 1.2}\n")
    status, out, _ = tiltbot(
        *("segment", recorded / "ep_000001", "--out", tmp_path / "out"),
        *("--object", "mug", "--rig", rig, "--json"),
    )
    assert status == 0
    assert fates(out) == [(2.0, "episode"), (2.3, "suppressed")]
    episode = Episode.open(tmp_path / "out" / "ep_000001")
    assert episode.constant.rig == "short"
    assert episode.facts.end_ns - episode.facts.start_ns == 2_000_000_000
    assert episode.facts.tilt is not None
    assert len(episode.images().frames) == 12


def test_a_truncated_file_is_told_and_nothing_written(tiltbot, sound, tmp_path):
    short = tmp_path / "short.wav"
    short.write_bytes(sound.read_bytes()[:-50_000])
    status, _, err = tiltbot("segment", short, "--out", tmp_path / "out")
    assert status == 1
    assert "truncated" in err
    assert str(short) in err.replace("\n", "")
    assert not (tmp_path / "out").exists()


def test_a_truncated_bag_is_told(tiltbot, folder, tmp_path):
    bag = folder / "ep_000001" / "ep_000001.mcap"
    bag.write_bytes(bag.read_bytes()[:-4000])
    status, _, err = tiltbot("segment", folder / "ep_000001", "--out", tmp_path / "out")
    assert status == 1
    assert "cannot be read" in err


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("nothing.wav", "--out", "x"), 1, "expected a sound file"),
        (("setup.cfg", "--out", "x"), 1, "setup.cfg"),
        (("{}",), 2, "--out"),
        (("{}", "--out", "x", "--policy", "last"), 2, "last"),
        (("{}", "--out", "x", "--rig", "lunar"), 1, "expected a rig"),
    ],
)
def test_wrong_use_is_told(tiltbot, sound, arguments, status, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "setup.cfg").write_text("[no sound]")
    found, _, err = tiltbot("segment", *(text.format(sound) for text in arguments))
    assert found == status
    assert told in " ".join(err.split())
    assert not (tmp_path / "x").exists()
