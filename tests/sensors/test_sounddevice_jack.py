"""The sound card source against a real JACK server, through real PortAudio."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.emulators.jack import JackPlayer, jack_player, stopped
from tiltbot_ros.errors import DeviceError, MissingDependencyError
from tiltbot_ros.sensors import sounddevice_source
from tiltbot_ros.sensors.audio import AudioBlock
from tiltbot_ros.sensors.microphones import MicrophoneSettings
from tiltbot_ros.sensors.portaudio import load_sounddevice
from tiltbot_ros.sensors.sounddevice_source import SounddeviceMicrophones

pytestmark = pytest.mark.jack
PERIOD = 2048


def random_integers(frames: int, channels: int, bits: int) -> np.ndarray:
    full = 1 << (bits - 1)
    values = np.random.default_rng(5).integers(-full, full, (frames, channels), dtype=np.int32)
    values[0] = full - 1
    values[1] = -full
    return values


def counting_integers(frames: int, channels: int) -> np.ndarray:
    """Frame k holds 1 + k in every channel, so that each frame tells its index."""
    return np.repeat(np.arange(1, frames + 1, dtype=np.int32)[:, None], channels, axis=1)


def write(path: Path, samples: np.ndarray, rate: int, bits: int) -> Path:
    if bits == 16:
        soundfile.write(path, samples.astype(np.int16), rate, subtype="PCM_16")
    else:
        soundfile.write(path, samples << 8, rate, subtype="PCM_24")
    return path


def microphones(player: JackPlayer, **changes: object) -> SounddeviceMicrophones:
    settings = {
        "source": "sounddevice",
        "device": player.device,
        "settle_s": 0.4,
        **changes,
    }
    return SounddeviceMicrophones(MicrophoneSettings.model_validate(settings), clock=time.time_ns)


@contextlib.contextmanager
def recording(source: SounddeviceMicrophones) -> Iterator[list[AudioBlock]]:
    blocks: list[AudioBlock] = []
    source.start(blocks.append)
    try:
        yield blocks
    finally:
        source.stop()


@pytest.fixture
def see(monkeypatch):
    def set_environment(player: JackPlayer) -> None:
        for name, value in player.env.items():
            monkeypatch.setenv(name, value)

    return set_environment


def record_undisturbed(file: Path, case: tuple[int, int, int, int], see, *, seconds: float = 2.2):
    """Record a file; again if the server says that the machine was too busy for it."""
    rate, channels, bits, period = case
    for _ in range(4):
        with jack_player(file, rate, channels, period=period, silence_s=0.9) as player:
            see(player)
            source = microphones(
                player, sample_rate_hz=rate, channels=channels, bits=bits, block_frames=rate // 100
            )
            with recording(source) as blocks:
                time.sleep(seconds)
                health = source.health()
        if not health.xruns:
            break
    return blocks, source, health


@pytest.mark.parametrize(
    "case", [(44_100, 4, 16, 2048), (32_000, 4, 16, 2048), (192_000, 1, 24, 8192)]
)
def test_what_is_played_is_recorded_bit_for_bit_and_in_channel_order(tmp_path, see, case):
    rate, channels, bits, _ = case
    played = random_integers(rate, channels, bits)
    file = write(tmp_path / "played.wav", played, rate, bits)
    blocks, source, health = record_undisturbed(file, case, see)
    recorded = np.concatenate([block.samples for block in blocks])
    begin = int(np.flatnonzero(np.any(recorded, axis=1))[0])
    assert np.array_equal(recorded[begin : begin + len(played)], played)
    assert recorded.dtype == (np.int16 if bits == 16 else np.int32)
    assert {len(block.samples) for block in blocks} == {rate // 100}
    assert set(np.diff([block.first_sample for block in blocks])) == {rate // 100}
    assert (health.state, health.holes, health.xruns) == ("running", 0, 0)
    assert source.info.device.startswith("player")


def test_stamps_are_evenly_spaced_and_never_in_the_future(tmp_path, see):
    file = write(tmp_path / "played.wav", random_integers(100, 4, 16), 44_100, 16)
    before_ns = time.time_ns()
    blocks, _, _ = record_undisturbed(file, (44_100, 4, 16, PERIOD), see)
    after_ns = time.time_ns()
    stamps = np.array([block.stamp_ns for block in blocks])
    assert np.abs(np.diff(stamps) / 1e6 - 10.0).max() < 1.0
    assert stamps[0] > before_ns
    assert stamps[-1] < after_ns


def test_no_block_comes_before_its_last_frame_nor_much_later(tmp_path, see):
    file = write(tmp_path / "played.wav", random_integers(100, 4, 16), 44_100, 16)
    ages_ms: list[float] = []
    with jack_player(file, 44_100, 4) as player:
        see(player)
        source = microphones(player)
        source.start(lambda block: ages_ms.append((time.time_ns() - block.stamp_ns) / 1e6 - 10.0))
        time.sleep(2.0)
        source.stop()
    assert min(ages_ms) > -1.0
    assert np.median(ages_ms) < 1000.0 * PERIOD / 44_100 + 5.0


def test_sound_that_was_lost_is_a_hole_and_first_sample_is_right_after_it(tmp_path, see):
    """While the player is frozen, the server's clock runs on and its sound is lost."""
    file = write(tmp_path / "played.wav", counting_integers(44_100 * 6, 1), 44_100, 24)
    with jack_player(file, 44_100, 1, silence_s=1.0) as player:
        see(player)
        source = microphones(player, channels=1, bits=24)
        with recording(source) as blocks:
            time.sleep(1.8)
            with stopped(player.player):
                time.sleep(0.3)
            time.sleep(1.0)
    indexed = [(b.first_sample, int(b.samples[0, 0])) for b in blocks if b.samples[0, 0]]
    offsets = [first - content for first, content in indexed]
    assert len(set(offsets[:30])) == 1
    steps = np.diff([b.first_sample for b in blocks])
    assert steps.max() > 0.25 * 44_100
    assert blocks[-1].xruns >= 1
    # A busy machine may lose a little more, each time with an error of its own.
    holes = int(np.sum(steps != 441))
    assert holes == source.health().holes
    assert abs(offsets[-1] - offsets[0]) <= PERIOD * holes


@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_a_frozen_server_leaves_a_hole_as_long_as_it_was_frozen(tmp_path, see, seconds):
    file = write(tmp_path / "played.wav", random_integers(44_100, 4, 16), 44_100, 16)
    with jack_player(file, 44_100, 4, loop=True) as player:
        see(player)
        source = microphones(player, stall_s=0.5)
        with recording(source) as blocks:
            time.sleep(1.1)
            before_ns = time.monotonic_ns()
            with stopped(player.server):
                time.sleep(seconds)
                frozen = source.health()
            frozen_s = (time.monotonic_ns() - before_ns) / 1e9
            time.sleep(1.2)
            after = source.health()
    assert frozen.state == ("running" if seconds < 0.5 else "stalled")
    assert (after.state, after.reopened) == ("running", 0)
    steps = np.diff([block.first_sample for block in blocks])
    assert after.holes == np.sum(steps != 441) >= 1
    # The frames that fill no block before the hole are counted into it.
    assert abs(steps.max() - 441 - frozen_s * 44_100) <= 441 + 2 * PERIOD
    spans_s = np.diff([block.stamp_ns for block in blocks]) / 1e9
    assert np.abs(spans_s - steps / 44_100).max() < 2e-3


def test_a_silent_device_is_opened_anew_and_the_count_goes_on(tmp_path, see, monkeypatch):
    monkeypatch.setattr(sounddevice_source, "is_jack", lambda *_: False)
    file = write(tmp_path / "played.wav", counting_integers(44_100 * 12, 1), 44_100, 24)
    with jack_player(file, 44_100, 1, silence_s=0.5) as player:
        see(player)
        source = microphones(player, channels=1, bits=24, stall_s=0.5)
        with recording(source) as blocks:
            time.sleep(1.4)
            source._stream.abort()
            time.sleep(0.7)
            assert source.health().state == "stalled"
            time.sleep(2.0)
            health = source.health()
    offsets = [b.first_sample - int(b.samples[0, 0]) for b in blocks if b.samples[0, 0]]
    assert (health.state, health.reopened) == ("running", 1)
    assert health.holes >= 1
    assert abs(offsets[-1] - offsets[0]) <= 2 * PERIOD


_RECORD_UNTIL_IT_FAILS = """
import sys, time
from tiltbot_ros.sensors.microphone_opening import open_microphones
from tiltbot_ros.sensors.microphones import MicrophoneSettings
settings = MicrophoneSettings(source="sounddevice", device=sys.argv[1], settle_s=0.2)
source = open_microphones(settings, clock=time.time_ns)
source.start(lambda block: None)
time.sleep(0.8)
print(source.health().state, flush=True)
while source.health().state != "failed":
    time.sleep(0.05)
print(source.health().detail, flush=True)
source.stop()
"""


def test_a_server_that_dies_is_reported_and_does_not_abort_the_process(tmp_path):
    file = write(tmp_path / "played.wav", random_integers(1000, 4, 16), 44_100, 16)
    with jack_player(file, 44_100, 4) as player:
        process = subprocess.Popen(
            [sys.executable, "-c", _RECORD_UNTIL_IT_FAILS, player.device],
            env={**os.environ, **player.env, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline() == "running\n"
        player.server.kill()
        output, _ = process.communicate(timeout=20)
    assert "has ended" in output
    assert process.returncode == 0


def test_refusals_say_what_was_found_and_what_to_do(tmp_path, see):
    file = write(tmp_path / "played.wav", random_integers(1000, 2, 16), 44_100, 16)
    with jack_player(file, 44_100, 2) as player:
        see(player)
        with pytest.raises(DeviceError, match=rf"'nobody'.*Found: .*{player.device}.*2 channels"):
            microphones(player, device="nobody").start(print)
        with pytest.raises(DeviceError, match=r"expected 4 channels of .*it has 2: set channels"):
            microphones(player, channels=4).start(print)
        with pytest.raises(DeviceError, match=r"at 48000 Hz, it refused.*default rate is 44100 Hz"):
            microphones(player, channels=2, sample_rate_hz=48_000).start(print)
        part = microphones(player, channels=2, device=player.device[:-1].upper())
        with recording(part):
            assert part.info.device == player.device


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingDependencyError, match="pip install sounddevice"):
        load_sounddevice()


def test_a_missing_portaudio_is_named(monkeypatch, tmp_path):
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingDependencyError, match="apt-get install libportaudio2"):
        load_sounddevice()
