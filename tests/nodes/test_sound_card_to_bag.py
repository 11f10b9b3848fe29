"""Sound card -> ROS 2 -> recorder -> bag, bit for bit, in processes of their own."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.emulators.jack import jack_player
from tests.nodes.graphs import running
from tiltbot_ros import topics
from tiltbot_ros.bringup import NodeSpec
from tiltbot_ros.episodes.reader import Episode

pytestmark = [pytest.mark.graph, pytest.mark.jack]


def knocks(rate: int, channels: int, bits: int, seconds: float) -> np.ndarray:
    """Noise in which no two frames are alike, with one loud knock on each channel."""
    random = np.random.default_rng(3)
    full = 1 << (bits - 1)
    frames = round(rate * seconds)
    samples = random.normal(0.0, 0.001 * full, (frames, channels))
    time_s = np.arange(rate // 4) / rate
    ring = 0.5 * full * np.exp(-30.0 * time_s) * np.sin(2 * np.pi * 700.0 * time_s)
    at = round(4.5 * rate)
    loudness = np.linspace(1.0, 0.4, channels)
    samples[at : at + len(ring)] += ring[:, None] * loudness
    return np.rint(samples).astype(np.int32)


def position_of(part: np.ndarray, whole: np.ndarray) -> int:
    """Index of the frame at which `part` lies in `whole`; -1 when it does not."""
    candidates = np.flatnonzero((whole[: len(whole) - len(part) + 1] == part[0]).all(axis=1))
    for start in candidates:
        if np.array_equal(whole[start : start + len(part)], part):
            return int(start)
    return -1


@pytest.mark.parametrize(
    ("rate", "channels", "bits", "period"),
    [(44_100, 4, 16, 2048), (32_000, 4, 16, 2048), (192_000, 1, 24, 8192)],
)
def test_the_bag_holds_what_the_sound_card_played(
    ros_environment, tmp_path: Path, rate, channels, bits, period
):
    played = knocks(rate, channels, bits, 10.0)
    file = tmp_path / "played.wav"
    if bits == 16:
        soundfile.write(file, played.astype(np.int16), rate, subtype="PCM_16")
    else:
        soundfile.write(file, played << 8, rate, subtype="PCM_24")
    block = rate // 100
    with jack_player(file, rate, channels, period=period) as player:
        microphones = NodeSpec(
            executable="microphone_node",
            name="microphones",
            parameters={
                "microphones.source": "sounddevice",
                "microphones.device": player.device,
                "microphones.sample_rate_hz": rate,
                "microphones.channels": channels,
                "microphones.bits": bits,
                "microphones.block_frames": block,
            },
        )
        contacts = NodeSpec(executable="contact_node", name="contacts")
        recorder = NodeSpec(
            executable="recorder_node",
            name="recorder",
            parameters={
                "session.directory": str(tmp_path / "data"),
                "session.object": "knock",
                "session.audio_hz": rate / block,
                "session.camera_hz": 0.0,
                "session.tray_hz": 0.0,
            },
        )
        with running(
            [recorder, contacts, microphones],
            tmp_path,
            topics=[topics.EPISODE],
            environment=player.env,
        ) as (graph, observer):
            observer.until(lambda: observer.heard["episode"], 40.0, graph)
    message = observer.heard["episode"][0]
    assert message.clean, message.problems
    episode = Episode.open(tmp_path / "data" / message.id)
    sound = episode.audio()
    assert sound.samples.shape == (pytest.approx(4 * rate, abs=2 * block), channels)
    start = position_of(sound.samples.astype(np.int32), played)
    assert start >= 0, "the recorded sound is not a part of what was played"
    # The knock lies in the middle of the episode.
    assert abs(start + len(sound.samples) / 2 - 4.5 * rate) < 2 * block
