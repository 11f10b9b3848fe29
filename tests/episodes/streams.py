"""Synthetic streams of a rig: sound with impacts, pictures, tray state, tilts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tiltbot_ros.episodes.cdr import make_header, make_time, write_audio
from tiltbot_ros.episodes.detector import ContactDetector, DetectorSettings, HeardContact
from tiltbot_ros.episodes.facts import ConstantFacts
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.episodes.verdict_settings import VerdictSettings
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat

NS = 1_000_000_000
EPOCH_NS = 1_700_000_000 * NS
FORMAT = AudioFormat(sample_rate=44100, channels=4, bits=16)
BLOCK = 441

TOPICS = (
    RecordedTopic(
        name="/audio", type="tiltbot/msg/ContactAudio", required=True, expected_hz=100.0, depth=256
    ),
    RecordedTopic(name="/audio/info", type="tiltbot/msg/ContactAudioInfo", latched=True),
    RecordedTopic(
        name="/camera/color/image_raw",
        type="sensor_msgs/msg/Image",
        required=True,
        expected_hz=6.0,
    ),
    RecordedTopic(
        name="/tray/pose", type="geometry_msgs/msg/PoseStamped", required=True, expected_hz=100.0
    ),
    RecordedTopic(name="/tilt", type="tiltbot/msg/Tilt"),
    RecordedTopic(name="/contact", type="tiltbot/msg/Contact"),
)


SPARSE_TOPICS = tuple(
    replace(topic, expected_hz=0.0, moments_hz=6.0) if topic.is_video else topic for topic in TOPICS
)
"""The same where only the pictures before and after the tilt are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A message on its way: it is received at `receive_ns`."""

    receive_ns: int
    topic: str
    data: bytes
    block: AudioBlock | None = None


def facts(topics=TOPICS, **changes) -> ConstantFacts:
    settings = DetectorSettings()
    values = {
        "rig": "test",
        "software_version": "0",
        "detector": settings.digest(),
        "detector_settings": settings.model_dump_json(),
        "before_s": 2.0,
        "after_s": 2.0,
        "policy": "first",
        "max_tilt_rad": 0.4,
        "topics": tuple(topics),
        "limits": VerdictSettings(),
    }
    return ConstantFacts(**(values | changes))


def impacts(
    seconds: float,
    times: tuple[float, ...],
    *,
    audio_format: AudioFormat = FORMAT,
    level: float = 0.2,
    noise: float = 0.001,
    seed: int = 0,
) -> np.ndarray:
    """Return sound (frames, channels) with decaying sinusoids at the given times [s]."""
    rng = np.random.default_rng(seed)
    rate, full = audio_format.sample_rate, audio_format.full_scale
    sound = rng.normal(0, noise, (int(seconds * rate), audio_format.channels))
    t = np.arange(int(0.3 * rate)) / rate
    for time in times:
        modes = rng.uniform(300, 5000, 8)
        wave = sum(
            rng.normal() * np.exp(-(0.03 * f + 20) * t) * np.sin(2 * np.pi * f * t) for f in modes
        )
        wave *= level / np.abs(wave).max()
        at = int(time * rate)
        piece = sound[at : at + len(t)]
        piece += (wave[:, None] * rng.uniform(0.5, 1, audio_format.channels))[: len(piece)]
    return np.clip(sound * full, -full, full - 1).astype(audio_format.dtype)


def blocks(
    sound: np.ndarray,
    *,
    audio_format: AudioFormat = FORMAT,
    frames: int = BLOCK,
    start_ns: int = EPOCH_NS,
    first_sample: int = 0,
) -> Iterator[AudioBlock]:
    rate = audio_format.sample_rate
    for at in range(0, len(sound), frames):
        yield AudioBlock(
            stamp_ns=start_ns + at * NS // rate,
            first_sample=first_sample + at,
            samples=sound[at : at + frames],
            xruns=0,
        )


def hear(sound: np.ndarray, *, frames: int = BLOCK, **settings) -> list[HeardContact]:
    detector = ContactDetector(DetectorSettings(**settings), FORMAT)
    found = [c for block in blocks(sound, frames=frames) for c in detector.process(block)]
    return found + detector.flush()


def serialise(msgtype: str, **fields) -> bytes:
    store = typestore()
    return bytes(store.serialize_cdr(store.types[msgtype](**fields), msgtype))


def vector(kind: str, *values: float):
    return typestore().types[f"geometry_msgs/msg/{kind}"](*values)


def image(stamp_ns: int, value: int = 7, *, height: int = 24, width: int = 32) -> bytes:
    return serialise(
        "sensor_msgs/msg/Image",
        header=make_header(stamp_ns, "camera_color_optical_frame"),
        height=height,
        width=width,
        encoding="rgb8",
        is_bigendian=0,
        step=3 * width,
        data=np.full(3 * width * height, value, np.uint8),
    )


def pose(stamp_ns: int, angle: float = 0.0) -> bytes:
    kind = typestore().types["geometry_msgs/msg/Pose"]
    return serialise(
        "geometry_msgs/msg/PoseStamped",
        header=make_header(stamp_ns, "tray_level"),
        pose=kind(
            position=vector("Point", 0.0, 0.0, 0.0),
            orientation=vector("Quaternion", np.sin(angle / 2), 0.0, 0.0, np.cos(angle / 2)),
        ),
    )


def tilt(start_ns: int, end_ns: int, *, ax: float = 0.5) -> bytes:
    return serialise(
        "tiltbot/msg/Tilt",
        header=make_header(start_ns, "tray_level"),
        rotation=vector("Vector3", 0.2, 0.0, 0.0),
        ax=ax,
        ay=0.0,
        start=make_time(start_ns),
        end=make_time(end_ns),
    )


def info(stamp_ns: int) -> bytes:
    return serialise(
        "tiltbot/msg/ContactAudioInfo",
        header=make_header(stamp_ns, "tray"),
        device="test",
        source="simulated",
        sample_rate=44100,
        channels=4,
        bits=16,
        block_frames=BLOCK,
        gain_db=np.zeros(4, np.float32),
        calibration=np.zeros(4, np.float32),
        unit="Pa",
        channel_frames=[f"mic_{i}" for i in range(4)],
    )


def events(
    seconds: float,
    contacts: tuple[float, ...],
    *,
    start_ns: int = EPOCH_NS,
    tilts: tuple[tuple[float, float], ...] | None = None,
    seed: int = 0,
) -> list[Event]:
    """Return what a rig would send, in the order of receipt."""
    sound = impacts(seconds, contacts, seed=seed)
    found = [Event(receive_ns=start_ns, topic="/audio/info", data=info(start_ns - 3600 * NS))]
    for block in blocks(sound, start_ns=start_ns):
        receive_ns = block.stamp_ns + 12_000_000
        data = write_audio(block, FORMAT, "tray")
        found.append(Event(receive_ns=receive_ns, topic="/audio", data=data, block=block))
    for i in range(int(seconds * 6)):
        stamp_ns = start_ns + i * NS // 6
        found.append(
            Event(
                receive_ns=stamp_ns + 30_000_000,
                topic="/camera/color/image_raw",
                data=image(stamp_ns, i % 256),
            )
        )
    for i in range(int(seconds * 100)):
        stamp_ns = start_ns + i * NS // 100
        data = pose(stamp_ns, 0.2 * np.sin(i / 50))
        found.append(Event(receive_ns=stamp_ns + 1_000_000, topic="/tray/pose", data=data))
    if tilts is None:
        tilts = tuple((t - 0.8, t + 1.7) for t in contacts)
    for begin, end in tilts:
        t0, t1 = start_ns + round(begin * NS), start_ns + round(end * NS)
        found.append(Event(receive_ns=t1 + 2_000_000, topic="/tilt", data=tilt(t0, t1)))
    return sorted(found, key=lambda event: event.receive_ns)


def listdir(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
