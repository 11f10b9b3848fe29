"""Whole episodes as a rig would leave them, made in milliseconds.

The tray is drawn through a pinhole camera written out here by hand, and the
object slides down the tilt by the law of gravity written out here, so that
what the package says of them is held against something else than itself.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from tiltbot_ros.arms.tilts import TiltMotion, TiltSettings
from tiltbot_ros.episodes.cdr import make_header, make_time, write_audio
from tiltbot_ros.episodes.contacts import write_contact
from tiltbot_ros.episodes.detector import DetectorSettings, HeardContact
from tiltbot_ros.episodes.facts import ConstantFacts, EpisodeContent, EpisodeFacts
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.episodes.verdict_settings import VerdictSettings
from tiltbot_ros.episodes.writer import EpisodeWriter, FinishedEpisode, WriterSettings
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat

NS = 1_000_000_000
EPOCH_NS = 1_700_000_000 * NS
FORMAT = AudioFormat(sample_rate=44100, channels=4, bits=16)
BLOCK = 441
WIDTH, HEIGHT = 160, 120
K = np.array([[150.0, 0, 80], [0, 150.0, 60], [0, 0, 1]])
HALF = 0.15

# The camera looks down from 0.45 m above the level tray; image x is tray x, image y is tray -y.
CAMERA = np.diag([1.0, -1.0, -1.0, 1.0])
CAMERA[2, 3] = 0.45

COLOR = "camera/color/image_raw"
TYPES = {
    "audio": ("tiltbot/msg/ContactAudio", 100.0),
    "audio/info": ("tiltbot/msg/ContactAudioInfo", 0.0),
    COLOR: ("sensor_msgs/msg/Image", 6.0),
    "camera/color/camera_info": ("sensor_msgs/msg/CameraInfo", 6.0),
    "camera/pose": ("geometry_msgs/msg/PoseStamped", 0.0),
    "tray/pose": ("geometry_msgs/msg/PoseStamped", 100.0),
    "tray/reference": ("geometry_msgs/msg/PoseStamped", 100.0),
    "tilt": ("tiltbot/msg/Tilt", 0.0),
    "contact": ("tiltbot/msg/Contact", 0.0),
    "object_location": ("tiltbot/msg/ObjectLocation", 6.0),
}
LATCHED = {"audio/info", "camera/pose"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What an episode is to be like."""

    object: str = "mug"
    action: tuple[float, float] = (0.6, 0.3)
    contact_ns: int = EPOCH_NS
    lost_block: int | None = None
    namespace: str = ""
    without: tuple[str, ...] = ()


def topics(namespace: str = "", without: tuple[str, ...] = ()) -> tuple[RecordedTopic, ...]:
    return tuple(
        RecordedTopic(
            name=f"{namespace}/{name}",
            type=kind,
            latched=name in LATCHED,
            required=hz > 0,
            expected_hz=hz,
            depth=256,
        )
        for name, (kind, hz) in TYPES.items()
        if name not in without
    )


def constant(namespace: str = "", without: tuple[str, ...] = ()) -> ConstantFacts:
    settings = DetectorSettings()
    return ConstantFacts(
        rig="test",
        software_version="0",
        detector=settings.digest(),
        detector_settings=settings.model_dump_json(),
        before_s=2.0,
        after_s=2.0,
        policy="first",
        max_tilt_rad=TiltSettings().max_tilt_rad,
        topics=topics(namespace, without),
        limits=VerdictSettings(),
    )


def downhill(action: tuple[float, float]) -> np.ndarray:
    """Return the unit vector in the tray that gravity pulls along, by rotating gravity itself."""
    turn = Rotation.from_rotvec([action[0] * 0.3, action[1] * 0.3, 0.0])
    pull = turn.inv().apply([0.0, 0.0, -1.0])[:2]
    return pull / np.linalg.norm(pull)


def content(wanted: Wanted) -> EpisodeContent:
    """Return the messages of one episode."""
    t0 = wanted.contact_ns - 2 * NS
    contact = HeardContact(
        sample=2 * 44100,
        stamp_ns=wanted.contact_ns,
        channel=1,
        level=0.4,
        threshold=0.02,
        detector=DetectorSettings().digest(),
    )
    motion = TiltMotion(wanted.action, TiltSettings())
    begin_ns = wanted.contact_ns - 8 * NS // 10
    end_ns = begin_ns + round(motion.duration_s * NS)
    found = {name: [] for name in TYPES}

    def put(name: str, stamp_ns: int, data: bytes) -> None:
        found[name].append(StampedMessage(stamp_ns=stamp_ns, data=data))

    put("audio/info", t0 - 60 * NS, _info(t0 - 60 * NS))
    put("camera/pose", t0 - 60 * NS, _camera_pose(t0 - 60 * NS))
    for number, block in enumerate(_sound(t0)):
        if number != wanted.lost_block:
            put("audio", block.stamp_ns, write_audio(block, FORMAT, "tray"))
    for i in range(401):
        stamp_ns = t0 + i * NS // 100
        asked = motion.reference((stamp_ns - begin_ns) / NS)
        had = motion.reference((stamp_ns - begin_ns) / NS - 0.05)
        put("tray/reference", stamp_ns, _pose(stamp_ns, asked))
        put("tray/pose", stamp_ns, _pose(stamp_ns, had))
    for i in range(24):
        stamp_ns = t0 + i * NS // 6 + NS // 12
        level = motion.reference((stamp_ns - begin_ns) / NS - 0.05)
        way = min(max((stamp_ns - begin_ns) / (0.8 * NS), 0.0), 1.0) ** 2
        at = np.append(downhill(wanted.action) * 0.11 * way, 0.02)
        put(COLOR, stamp_ns, _picture(stamp_ns, level, at))
        put("camera/color/camera_info", stamp_ns, _camera_info(stamp_ns))
        put("object_location", stamp_ns, _location(stamp_ns, at))
    put("tilt", begin_ns, _tilt(begin_ns, end_ns, wanted.action))
    put("contact", wanted.contact_ns, write_contact(contact, "mic_1"))
    return EpisodeContent(
        contact=contact,
        start_ns=t0,
        end_ns=t0 + 4 * NS,
        suppressed=1,
        object=wanted.object,
        messages={
            f"{wanted.namespace}/{name}": tuple(messages)
            for name, messages in found.items()
            if name not in wanted.without
        },
        drops=(),
    )


def write(folder: Path, *wanted: Wanted) -> list[Path]:
    """Write episodes to a folder, as the recorder does."""
    data = DataFolder(folder)
    facts = constant(wanted[0].namespace, wanted[0].without)
    writer = EpisodeWriter(
        data, facts, WriterSettings(disk_floor_bytes=0), lambda: EPOCH_NS, wait_when_full=True
    )
    for one in wanted:
        writer.submit(content(one))
    outcomes = writer.close()
    data.close()
    assert all(isinstance(outcome, FinishedEpisode) for outcome in outcomes), outcomes
    return [outcome.path for outcome in outcomes]


def many(folder: Path, count: int) -> None:
    """Write `count` folders that have an episode.json alone: all that a listing reads."""
    (path,) = write(folder, Wanted())
    facts = EpisodeFacts.read(path)
    for number in range(2, count + 1):
        one = replace(facts, id=f"ep_{number:06d}", object=("mug", "banana")[number % 2])
        (folder / one.id).mkdir()
        (folder / one.id / "episode.json").write_bytes(one.to_json())


def pixel(point: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    """Return where a point of the tray [m] is in the image [pixels]."""
    seen = np.linalg.inv(CAMERA) @ np.append(Rotation.from_rotvec([*tilt, 0]).apply(point), 1)
    return (K @ seen[:3])[:2] / seen[2]


def _sound(t0: int) -> list[AudioBlock]:
    rng = np.random.default_rng(1)
    sound = rng.normal(0, 0.001, (4 * 44100, 4))
    t = np.arange(13230) / 44100
    for at, level in ((2.0, 0.4), (2.3, 0.1)):
        ring = sum(np.exp(-(0.03 * f + 20) * t) * np.sin(2 * np.pi * f * t) for f in (700, 2300))
        sound[int(at * 44100) :][: len(t)] += level * ring[:, None] * [0.5, 1.0, 0.3, 0.4] / 2
    samples = (np.clip(sound, -1, 1) * 32767).astype(np.int16)
    return [
        AudioBlock(
            stamp_ns=t0 + at * NS // 44100,
            first_sample=at,
            samples=np.ascontiguousarray(samples[at : at + BLOCK]),
            xruns=0,
        )
        for at in range(0, len(samples), BLOCK)
    ]


def _serialise(name: str, **fields) -> bytes:
    kind = TYPES[name][0]
    return bytes(typestore().serialize_cdr(typestore().types[kind](**fields), kind))


def _make(kind: str, *values: float):
    return typestore().types[f"geometry_msgs/msg/{kind}"](*map(float, values))


def _stamped_pose(name: str, stamp_ns: int, frame: str, at: np.ndarray, turn: Rotation) -> bytes:
    pose = typestore().types["geometry_msgs/msg/Pose"]
    return _serialise(
        name,
        header=make_header(stamp_ns, frame),
        pose=pose(position=_make("Point", *at), orientation=_make("Quaternion", *turn.as_quat())),
    )


def _pose(stamp_ns: int, tilt: np.ndarray) -> bytes:
    turn = Rotation.from_rotvec([*tilt, 0.0])
    return _stamped_pose("tray/pose", stamp_ns, "tray_level", np.zeros(3), turn)


def _camera_pose(stamp_ns: int) -> bytes:
    turn = Rotation.from_matrix(CAMERA[:3, :3])
    return _stamped_pose("camera/pose", stamp_ns, "tray_level", CAMERA[:3, 3], turn)


def _picture(stamp_ns: int, tilt: np.ndarray, at: np.ndarray) -> bytes:
    image = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    corners = [
        pixel(np.array([x, y, 0.0]), tilt)
        for x, y in ((-HALF, -HALF), (HALF, -HALF), (HALF, HALF), (-HALF, HALF))
    ]
    cv2.fillPoly(image, [np.round(corners).astype(np.int32)], (200, 190, 170))
    centre = np.round(pixel(at, tilt)).astype(int)
    cv2.circle(image, tuple(map(int, centre)), 9, (200, 60, 40), -1)
    return _serialise(
        COLOR,
        header=make_header(stamp_ns, "camera_color_optical_frame"),
        height=HEIGHT,
        width=WIDTH,
        encoding="rgb8",
        is_bigendian=0,
        step=3 * WIDTH,
        data=image.reshape(-1),
    )


def _camera_info(stamp_ns: int) -> bytes:
    region = typestore().types["sensor_msgs/msg/RegionOfInterest"]
    return _serialise(
        "camera/color/camera_info",
        header=make_header(stamp_ns, "camera_color_optical_frame"),
        height=HEIGHT,
        width=WIDTH,
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=K.reshape(-1),
        r=np.eye(3).reshape(-1),
        p=np.hstack([K, np.zeros((3, 1))]).reshape(-1),
        binning_x=0,
        binning_y=0,
        roi=region(x_offset=0, y_offset=0, height=0, width=0, do_rectify=False),
    )


def _location(stamp_ns: int, at: np.ndarray) -> bytes:
    return _serialise(
        "object_location",
        header=make_header(stamp_ns, "tray"),
        valid=True,
        position=_make("Point", *at),
        pixels=250,
    )


def _tilt(begin_ns: int, end_ns: int, action: tuple[float, float]) -> bytes:
    most = TiltSettings().max_tilt_rad
    return _serialise(
        "tilt",
        header=make_header(begin_ns, "tray_level"),
        rotation=_make("Vector3", action[0] * most, action[1] * most, 0.0),
        ax=action[0],
        ay=action[1],
        start=make_time(begin_ns),
        end=make_time(end_ns),
    )


def _info(stamp_ns: int) -> bytes:
    return _serialise(
        "audio/info",
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
