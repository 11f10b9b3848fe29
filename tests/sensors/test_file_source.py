import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tiltbot_ros.errors import AudioError
from tiltbot_ros.sensors.audio import AudioBlock
from tiltbot_ros.sensors.file_source import FileMicrophones
from tiltbot_ros.sensors.microphone_opening import open_microphones
from tiltbot_ros.sensors.microphones import MicrophoneSettings
from tiltbot_ros.sensors.sound_file import SoundFile

START_NS = 1_700_000_000_000_000_000
SUBTYPES = [
    ("wav", "PCM_16", 16),
    ("flac", "PCM_16", 16),
    ("wav", "PCM_24", 24),
    ("flac", "PCM_24", 24),
]


def integers(frames: int, channels: int, bits: int) -> np.ndarray:
    full = 1 << (bits - 1)
    dtype = np.int16 if bits == 16 else np.int32
    return np.random.default_rng(3).integers(-full, full, (frames, channels)).astype(dtype)


def write(path: Path, samples: np.ndarray, subtype: str, rate: int = 8000) -> Path:
    soundfile.write(path, samples << 8 if samples.dtype == np.int32 else samples, rate, subtype)
    return path


def settings(path: Path, **changes: object) -> MicrophoneSettings:
    values = {
        "source": "file",
        "path": str(path),
        "sample_rate_hz": 8000,
        "channels": 2,
        "block_frames": 80,
        "real_time": False,
        **changes,
    }
    return MicrophoneSettings.model_validate(values)


def play(source: FileMicrophones, *, blocks: int | None = None) -> list[AudioBlock]:
    heard: list[AudioBlock] = []
    enough = threading.Event()

    def sink(block: AudioBlock) -> None:
        heard.append(block)
        if len(heard) == blocks:
            enough.set()

    source.start(sink)
    if blocks is None:
        while source.health().state == "running":
            time.sleep(0.005)
    else:
        assert enough.wait(10)
    health = source.health()
    source.stop()
    assert health.state in {"ended", "failed", "running"}
    return heard


@pytest.mark.parametrize(("kind", "subtype", "bits"), SUBTYPES)
def test_every_integer_of_a_file_is_played_as_it_was_written(tmp_path, kind, subtype, bits):
    samples = integers(8000, 2, bits)
    file = write(tmp_path / f"sound.{kind}", samples, subtype)
    source = FileMicrophones(settings(file, bits=bits), clock=lambda: START_NS)
    blocks = play(source)
    assert np.array_equal(np.concatenate([b.samples for b in blocks]), samples)
    assert [b.first_sample for b in blocks] == list(range(0, 8000, 80))
    assert [b.stamp_ns for b in blocks] == [START_NS + k * 10_000_000 for k in range(100)]
    assert source.health().state == "ended"
    assert "after 8000 frames" in source.health().detail


def test_16_bits_are_played_as_24_bits_of_the_same_level(tmp_path):
    samples = integers(800, 2, 16)
    file = write(tmp_path / "sound.wav", samples, "PCM_16")
    blocks = play(FileMicrophones(settings(file, bits=24), clock=lambda: START_NS))
    played = np.concatenate([b.samples for b in blocks])
    assert played.dtype == np.int32
    assert np.array_equal(played, samples.astype(np.int32) * 256)


def test_a_loop_goes_on_without_a_hole_or_a_seam(tmp_path):
    samples = integers(1000, 2, 16)
    file = write(tmp_path / "sound.wav", samples, "PCM_16")
    source = FileMicrophones(settings(file, loop=True), clock=lambda: START_NS)
    blocks = play(source, blocks=60)[:60]
    played = np.concatenate([b.samples for b in blocks])
    assert np.array_equal(played, np.tile(samples, (5, 1))[: len(played)])
    assert set(np.diff([b.first_sample for b in blocks])) == {80}


def test_real_time_is_kept_by_the_injected_clock(tmp_path):
    """No block before its last frame's time, whatever the machine does."""
    file = write(tmp_path / "sound.wav", integers(1600, 2, 16), "PCM_16")
    now_ns = [0]
    waits: list[float] = []

    def wait(stop: threading.Event, seconds: float) -> bool:
        waits.append(seconds)
        now_ns[0] += round(seconds * 1e9)
        return stop.is_set()

    source = FileMicrophones(
        settings(file, real_time=True),
        clock=lambda: START_NS,
        monotonic=lambda: now_ns[0],
        wait=wait,
    )
    due: list[int] = []
    source.start(lambda block: due.append(now_ns[0]))
    while source.health().state == "running":
        time.sleep(0.005)
    source.stop()
    assert np.allclose(waits, 0.01, atol=1e-8)
    assert np.allclose(due, (np.arange(20) + 1) * 1e7, atol=20)


def test_real_time_is_real(tmp_path):
    file = write(tmp_path / "sound.wav", integers(4000, 2, 16), "PCM_16")
    source = open_microphones(settings(file, real_time=True), clock=time.time_ns)
    begin = time.monotonic()
    blocks = play(source)
    assert 0.45 < time.monotonic() - begin < 2.0
    assert len(blocks) == 50


def test_stop_returns_at_once_and_ends_the_stream(tmp_path):
    file = write(tmp_path / "sound.wav", integers(80_000, 2, 16), "PCM_16")
    source = FileMicrophones(settings(file, real_time=True), clock=time.time_ns)
    heard: list[AudioBlock] = []
    source.start(heard.append)
    time.sleep(0.1)
    begin = time.monotonic()
    source.stop()
    assert time.monotonic() - begin < 0.5
    count = len(heard)
    time.sleep(0.05)
    assert len(heard) == count
    assert source.health().state == "stopped"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"channels": 4}, "expected channels 4, it has 2"),
        ({"sample_rate_hz": 44_100}, "expected sample_rate_hz 44100, it has 8000"),
    ],
)
def test_another_format_than_the_settings_say_is_refused(tmp_path, changes, text):
    file = write(tmp_path / "sound.wav", integers(800, 2, 16), "PCM_16")
    with pytest.raises(AudioError, match=text):
        FileMicrophones(settings(file, **changes), clock=time.time_ns)


def test_24_bits_are_not_cut_to_16(tmp_path):
    file = write(tmp_path / "sound.wav", integers(800, 2, 24), "PCM_24")
    with pytest.raises(AudioError, match="expected bits 16, it has 24"):
        FileMicrophones(settings(file), clock=time.time_ns)


def test_a_float_file_is_rounded_to_24_bits(tmp_path):
    samples = integers(800, 2, 24)
    file = tmp_path / "sound.wav"
    soundfile.write(file, samples / (1 << 23), 8000, "FLOAT")
    blocks = play(FileMicrophones(settings(file, bits=24), clock=lambda: START_NS))
    assert np.array_equal(np.concatenate([b.samples for b in blocks]), samples)


@pytest.mark.parametrize(("kind", "subtype", "bits"), SUBTYPES)
def test_a_truncated_file_is_refused(tmp_path, kind, subtype, bits):
    file = write(tmp_path / f"sound.{kind}", integers(8000, 2, bits), subtype)
    file.write_bytes(file.read_bytes()[:-3000])
    with pytest.raises(AudioError, match="truncated"):
        SoundFile(file)


def test_what_is_no_sound_file_is_refused(tmp_path):
    (tmp_path / "text.wav").write_text("not a sound at all, but long enough to be looked at")
    with pytest.raises(AudioError, match="expected a WAV or FLAC file"):
        SoundFile(tmp_path / "text.wav")
    with pytest.raises(AudioError, match="found none"):
        SoundFile(tmp_path / "absent.wav")


def test_damage_inside_a_flac_file_fails_with_its_place(tmp_path):
    file = write(tmp_path / "sound.flac", integers(80_000, 2, 16), "PCM_16")
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    file.write_bytes(data)
    source = FileMicrophones(settings(file), clock=time.time_ns)
    play(source)
    assert source.health().state == "failed"
    assert str(file) in source.health().detail


def test_a_sink_that_fails_is_reported(tmp_path):
    file = write(tmp_path / "sound.wav", integers(800, 2, 16), "PCM_16")
    source = FileMicrophones(settings(file), clock=time.time_ns)

    def sink(block: AudioBlock) -> None:
        raise RuntimeError("publisher is gone")

    source.start(sink)
    source.stop()
    assert source.health().state == "failed"
    assert "publisher is gone" in source.health().detail
