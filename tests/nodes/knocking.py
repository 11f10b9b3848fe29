"""A rig that needs no simulation: a tray without physics and a file that knocks."""

from pathlib import Path

import numpy as np
import soundfile

from tiltbot_ros.bringup import NodeSpec

RATE = 44_100


def write_knocks(path: Path, *, seconds: float, every_s: float, first_s: float = 3.0) -> Path:
    """Write 4 channels of soft noise with a loud knock every few seconds."""
    random = np.random.default_rng(1)
    samples = random.normal(0.0, 30.0, (round(seconds * RATE), 4))
    time_s = np.arange(RATE // 4) / RATE
    knock = 12_000 * np.exp(-30.0 * time_s) * np.sin(2 * np.pi * 900.0 * time_s)
    for at_s in np.arange(first_s, seconds - 1.0, every_s):
        begin = round(at_s * RATE)
        samples[begin : begin + len(knock)] += knock[:, None] * np.array([1.0, 0.8, 0.6, 0.4])
    soundfile.write(path, samples.astype(np.int16), RATE, subtype="PCM_16")
    return path


def tray(**parameters) -> NodeSpec:
    return NodeSpec(
        executable="tray_node",
        name="tray",
        parameters={"arm.driver": "kinematic", **parameters},
        required=True,
    )


def microphones(file: Path, **parameters) -> NodeSpec:
    return NodeSpec(
        executable="microphone_node",
        name="microphones",
        parameters={
            "microphones.source": "file",
            "microphones.path": str(file),
            "microphones.loop": True,
            **parameters,
        },
        respawn=True,
    )


def contacts() -> NodeSpec:
    return NodeSpec(executable="contact_node", name="contacts", respawn=True)


def recorder(folder: Path, **parameters) -> NodeSpec:
    return NodeSpec(
        executable="recorder_node",
        name="recorder",
        parameters={
            "session.directory": str(folder),
            "session.camera_hz": 0.0,
            "writer.disk_floor_bytes": 1_000_000,
            **parameters,
        },
        required=True,
    )


def collect(**parameters) -> NodeSpec:
    return NodeSpec(
        executable="collect_node",
        name="collect",
        parameters={"collect.preparation": "none", **parameters},
    )


def quick_tilts() -> dict[str, float]:
    """Tilts that follow each other fast, so that a test need not wait."""
    return {"tilt.ramp_s": 0.2, "tilt.hold_s": 0.2, "tilt.return_s": 0.3, "tilt.rest_s": 0.3}
