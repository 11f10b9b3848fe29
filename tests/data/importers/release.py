"""A small Tilt-Bot release, synthesised in its published layout."""

import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import soundfile
from scipy.spatial.transform import Rotation

RATE = 44100
SECONDS = 11.0
START = datetime(2019, 5, 21, 14, 3, 2, 7, tzinfo=UTC)
START_NS = int(START.timestamp()) * 1_000_000_000 + 7000
KNOCKS_S = (3.5, 8.0)
TILTS = ((2.7, 4.7, (0.3, 0.1)), (7.0, 9.0, (-0.2, 0.25)))
"""Start, end, rotation vector of the tray in the level tray's frame."""
LEVEL = Rotation.from_euler("xyz", [0.3, -0.2, 1.0])
FPS = 6
ORDER = (2, 0, 1, 3)
LEVELS = (0.5, 0.4, 0.3, 0.2)
"""Of the knocks, by channel."""


def name_at(seconds: float, suffix: str = "") -> str:
    at = START + timedelta(seconds=seconds)
    parts = (at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond)
    return "-".join(map(str, parts)) + suffix


def rotation_at(seconds: float) -> np.ndarray:
    for start, end, rotation in TILTS:
        if start <= seconds <= end:
            return np.array([*rotation, 0.0]) * np.sin(np.pi * (seconds - start) / (end - start))
    return np.zeros(3)


def sound(seconds: float = SECONDS) -> np.ndarray:
    """Return (frames, 4) in [-1, 1]: noise, and a knock of another height on every channel."""
    rng = np.random.default_rng(3)
    samples = rng.normal(0, 0.002, (round(seconds * RATE), 4))
    t = np.arange(RATE // 4) / RATE
    for knock in KNOCKS_S:
        at = round(knock * RATE)
        if at + len(t) > len(samples):
            continue
        for channel, level in enumerate(LEVELS):
            ring = level * np.exp(-20 * t) * np.sin(2 * np.pi * 300 * (channel + 2) * t)
            samples[at : at + len(t), channel] += ring
    return samples


def write_sound(folder: Path, samples: np.ndarray, numbers=ORDER) -> None:
    folder.mkdir(parents=True)
    for channel, number in enumerate(numbers):
        path = folder / f"{name_at(0.0)}_{number}.mp3"
        soundfile.write(path, samples[:, channel], RATE, format="MP3")


def write_video(folder: Path, count: int, *, first_s: float = 0.05) -> list[str]:
    """Write frames whose brightness tells their number."""
    folder.mkdir(parents=True)
    names = [name_at(first_s + i / FPS, ".jpg") for i in range(count)]
    with av.open(str(folder / "video.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(count):
            pixels = np.full((48, 64, 3), brightness(i), np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    pairs = [(f"file{i + 1:07d}.jpg", name) for i, name in enumerate(names)]
    (folder / "correspondence.pkl").write_bytes(pickle.dumps(pairs, 2))
    return names


def brightness(number: int) -> int:
    return 40 + 160 * (number % 10) // 10


def states(hz: int = 100) -> dict[str, dict]:
    """Return what data.pkl holds: a quaternion of the end effector, and what was commanded."""
    found = {}
    for i in range(round(SECONDS * hz)):
        seconds = i / hz
        turn = LEVEL * Rotation.from_rotvec(rotation_at(seconds))
        found[name_at(seconds, ".pkl")] = {
            "state": {"orientation": turn.as_quat(), "position": [0.6, 0.0, 0.3]},
            "action": np.array(rotation_at(seconds)),
        }
    return found


def write(root: Path, *, object_name: str = "wooden_cube", experiment: str = "exp_1") -> Path:
    """Write one experiment; return its folder."""
    folder = root / object_name / experiment
    write_sound(folder / "audio", sound())
    write_video(folder / "rgb", round(SECONDS * FPS))
    write_video(folder / "depth", round(SECONDS * FPS))
    (folder / "data").mkdir()
    (folder / "data" / "data.pkl").write_bytes(pickle.dumps(states(), 2))
    return folder
