"""`tiltbot doctor`: what it finds, and that it always ends."""

import fcntl
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.emulators.jack import jack_player
from tiltbot_ros.doctor import dds, disk, libraries, sound
from tiltbot_ros.doctor.examinations import EXAMINATIONS, Examination, run_examination
from tiltbot_ros.doctor.findings import FINDINGS, NEEDS, Needs
from tiltbot_ros.sensors.cameras import CameraSettings
from tiltbot_ros.sensors.microphones import MicrophoneSettings


@pytest.fixture
def needs(tmp_path) -> Needs:
    return Needs(
        rig="sim",
        simulated=True,
        microphones=MicrophoneSettings(),
        camera=CameraSettings(),
        out=tmp_path / "data",
        disk_floor_bytes=0,
    )


@pytest.mark.graph
def test_a_rig_with_a_missing_microphone_fails_with_the_device_named(tiltbot, tmp_path):
    rig = tmp_path / "lab.yaml"
    rig.write_text(
        "microphones: {source: sounddevice, device: no such device}\n"
        "arm: {driver: kinematic}\ncamera: null\n"
    )
    status, out, _ = tiltbot("doctor", "--rig", rig, "--out", tmp_path / "data", "--json")
    report = json.loads(out)
    assert status == 1
    assert (report["ok"], report["rig"]) == (False, "lab")
    assert [section["name"] for section in report["sections"]] == [e.name for e in EXAMINATIONS]
    findings = [finding for section in report["sections"] for finding in section["findings"]]
    failed = {finding["name"]: finding for finding in findings if finding["status"] == "fail"}
    assert set(failed) == {"microphones"}
    assert "no such device" in failed["microphones"]["text"]
    assert failed["microphones"]["advice"]
    assert report["failures"] == 1
    found = {finding["name"]: finding["text"] for finding in findings}
    assert found["round trip, 4 kB"].startswith("40 of 40 messages")
    assert found["interfaces"].endswith("can be imported")


def test_an_unknown_rig_is_refused_with_the_known_ones(tiltbot):
    status, _, err = tiltbot("doctor", "--rig", "lunar")
    assert status == 1
    assert "sim" in err
    assert "lunar" in err


def test_an_examination_that_hangs_is_ended(needs):
    begin = time.monotonic()
    (finding,) = run_examination(Examination(name="x", module="clock", limit_s=0.05), needs)
    assert finding.status == "fail"
    assert "hung" in finding.text
    assert time.monotonic() - begin < 5.0


def test_an_examination_that_crashes_is_a_finding(needs):
    (finding,) = run_examination(Examination(name="x", module="findings", limit_s=30.0), needs)
    assert finding.status == "fail"
    assert "exit status 1" in finding.text
    assert "examine" in finding.text


def test_an_examination_answers_from_its_own_process(needs):
    findings = run_examination(Examination(name="c", module="computer", limit_s=30.0), needs)
    assert [finding.name for finding in findings] == ["processors", "governor", "load", "memory"]
    assert {finding.status for finding in findings} <= {"ok", "warn"}


def test_needs_and_findings_survive_the_way_to_the_other_process(needs):
    assert NEEDS.validate_json(NEEDS.dump_json(needs)) == needs
    findings = libraries.examine(needs)
    assert FINDINGS.validate_json(FINDINGS.dump_json(findings)) == findings


def test_libraries_name_their_versions(needs):
    found = {finding.name: finding for finding in libraries.examine(needs)}
    assert "mujoco 4" in found["libraries"].text
    assert all(finding.status != "fail" for finding in found.values())


def test_a_library_that_cannot_be_imported_fails(needs, monkeypatch):
    monkeypatch.setitem(libraries._NEEDED, "wingbeat", "wingbeat")
    found = {finding.name: finding for finding in libraries.examine(needs)}
    assert found["wingbeat"].status == "fail"
    assert "No module named" in found["wingbeat"].text


def test_the_streams_of_the_rig_are_added_up(needs):
    sound_bytes, image_bytes = 44100 * 4 * 2, 640 * 480 * 5 * 6
    assert needs.bytes_per_s == sound_bytes + image_bytes
    assert replace(needs, camera=None).bytes_per_s == sound_bytes


def test_a_disk_without_room_fails(needs):
    room, speed = disk.examine(replace(needs, disk_floor_bytes=1 << 60))
    assert (room.name, room.status) == ("disk space", "fail")
    assert room.advice
    assert speed.name == "disk speed"
    assert not needs.out.exists()


def test_a_missing_sound_file_fails(needs):
    settings = MicrophoneSettings(source="file", path="/no/such.wav")
    (finding,) = sound.examine(replace(needs, microphones=settings))
    assert finding.status == "fail"
    assert "/no/such.wav" in finding.text


@pytest.mark.jack
def test_the_rigs_microphones_are_listened_to(needs, tmp_path, monkeypatch):
    samples = np.zeros((44100, 4), np.int16)
    samples[:, [0, 1, 3]] = [16384, 1000, 100]
    file = tmp_path / "a.wav"
    soundfile.write(file, samples, 44100)
    with jack_player(file, 44100, 4, silence_s=0.0, loop=True) as player:
        for name, value in player.env.items():
            monkeypatch.setenv(name, value)
        settings = MicrophoneSettings(source="sounddevice", device=player.device)
        examination = Examination(name="sound", module="sound", limit_s=30.0)
        found = run_examination(examination, replace(needs, microphones=settings))
        many = settings.model_copy(update={"channels": 6})
        refused = run_examination(examination, replace(needs, microphones=many))
    assert found[-1].status == "warn"
    assert "peaks -6, -30, silent, -50 dBFS; channel 2 gives only zeros" in found[-1].text
    assert player.device in found[1].text
    assert refused[-1].status == "fail"
    assert "expected 6 channels" in refused[-1].text


def test_shared_memory_of_the_living_is_not_stale(tmp_path):
    for name in ("fastrtps_dead", "fastrtps_alive"):
        (tmp_path / name).write_bytes(bytes(1_000_000))
        (tmp_path / f"{name}_el").touch()
    with (tmp_path / "fastrtps_alive_el").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stale = dds.shared_memory(tmp_path)[-1]
    assert stale.text.startswith("1 segment of killed nodes, 1.0 MB")
    assert stale.status == "ok"


def test_much_stale_shared_memory_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(dds, "_STALE_MOST", 100_000)
    (tmp_path / "fastrtps_dead").write_bytes(bytes(1_000_000))
    (tmp_path / "fastrtps_dead_el").touch()
    stale = dds.shared_memory(tmp_path)[-1]
    assert stale.status == "warn"
    assert str(tmp_path) in stale.advice


def test_no_shared_memory_is_a_warning():
    (finding,) = dds.shared_memory(Path("/no/such/folder"))
    assert finding.status == "warn"
