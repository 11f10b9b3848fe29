"""A demonstration as it happens: an arm's state, a person's steps, a microphone."""

import time

import numpy as np

from tiltbot_ros.arms.poses import quaternion_of, tool_pose
from tiltbot_ros.demonstrations.facts import DEMONSTRATIONS
from tiltbot_ros.demonstrations.recorder import DemonstrationRecorder
from tiltbot_ros.demonstrations.settings import (
    DemonstrationSessionSettings,
    DemonstrationSettings,
)
from tiltbot_ros.episodes.cdr import make_header, write_audio
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.episodes.verdict_settings import VerdictSettings
from tiltbot_ros.episodes.writer import WriterSettings
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat

NS = 1_000_000_000
EPOCH_NS = 1_700_000_000 * NS
ARM_HZ, STEPS_HZ, AUDIO_HZ = 50, 10, 25
FORMAT = AudioFormat(sample_rate=8000, channels=2, bits=16)
START = np.array([0.5, 0.0, 0.3, 0.0, 0.0, 0.0])
SPEED_M_S = 0.03

SESSION = DemonstrationSessionSettings(
    rig="test", audio_hz=AUDIO_HZ, camera_hz=0.0, arm_hz=ARM_HZ, steps_hz=STEPS_HZ
)


def serialized(kind, **fields):
    store = typestore()
    return bytes(store.serialize_cdr(store.types[kind](**fields), kind))


def pose_message(stamp_ns, pose):
    types, tool = typestore().types, tool_pose(pose)
    x, y, z, w = quaternion_of(tool)
    point = types["geometry_msgs/msg/Point"](*map(float, tool.position))
    turn = types["geometry_msgs/msg/Quaternion"](x=x, y=y, z=z, w=w)
    return serialized(
        "geometry_msgs/msg/PoseStamped",
        header=make_header(stamp_ns, "base"),
        pose=types["geometry_msgs/msg/Pose"](position=point, orientation=turn),
    )


def joints_message(stamp_ns, value):
    return serialized(
        "sensor_msgs/msg/JointState",
        header=make_header(stamp_ns, "base"),
        name=["joint_1", "gripper"],
        position=np.array([value, 0.08]),
        velocity=np.zeros(2),
        effort=np.zeros(0),
    )


def step_message(stamp_ns, sequence, delta, commander="teleop"):
    return serialized(
        "tiltbot/msg/ArmDelta",
        header=make_header(stamp_ns, "base"),
        commander=commander,
        sequence=sequence,
        delta=np.array(delta, np.float64),
        gripper=float("nan"),
    )


class Show:
    """Feeds a recorder with the time; `broken` loses or spoils messages."""

    def __init__(self, path, *, settings=None, writer=None, session=SESSION):
        self.now_ns = EPOCH_NS
        self.folder = DataFolder(path, kind=DEMONSTRATIONS)
        streams = session.streams(DemonstrationSettings(), full_name=lambda name: f"/{name}")
        # The state of the arm is an event: this show has none.
        self.recorder = DemonstrationRecorder(
            settings or DemonstrationSettings(late_s=0.5),
            session.facts(streams, limits=VerdictSettings()),
            self.folder,
            writer or WriterSettings(disk_floor_bytes=0),
            rate_hz=STEPS_HZ,
            label=session.label,
            clock=lambda: self.now_ns,
        )
        self.ticks = 0
        self.sequence = 0
        self.outcomes = []
        self.broken = lambda topic, tick: False
        self.without = set()

    @property
    def elapsed_s(self):
        return self.ticks / ARM_HZ

    def pose(self):
        return START + np.array([SPEED_M_S * self.elapsed_s, 0, 0, 0, 0, 0])

    def run(self, seconds):
        for _ in range(round(seconds * ARM_HZ)):
            self._cycle()

    def _cycle(self):
        now, recorder = self.now_ns, self.recorder
        self._give("arm/pose", pose_message(now, self.pose()))
        self._give("arm/reference", pose_message(now, self.pose()))
        self._give("arm/joint_states", joints_message(now, self.elapsed_s))
        if self.ticks % (ARM_HZ // STEPS_HZ) == 0:
            self.sequence += 1
            delta = [SPEED_M_S / STEPS_HZ, 0, 0, 0, 0, 0]
            self._give("arm/delta", step_message(now, self.sequence, delta))
        if self.ticks % (ARM_HZ // AUDIO_HZ) == 0:
            frames = FORMAT.sample_rate // AUDIO_HZ
            block = AudioBlock(
                stamp_ns=now,
                first_sample=self.ticks // (ARM_HZ // AUDIO_HZ) * frames,
                samples=np.zeros((frames, 2), np.int16),
                xruns=0,
            )
            self._give("audio", write_audio(block, FORMAT, "mic"))
        self.ticks += 1
        self.now_ns += NS // ARM_HZ
        if self.ticks % 5 == 0:
            self.outcomes += recorder.tick(self.now_ns)

    def _give(self, topic, data):
        if topic not in self.without and not self.broken(topic, self.ticks):
            self.recorder.on_message(f"/{topic}", data, self.now_ns)

    def settle(self):
        """Let the disk's thread come to its end, with the streams going on."""
        end = time.monotonic() + 10.0
        while self.recorder.busy:
            assert time.monotonic() < end
            self.run(0.1)
            time.sleep(0.01)

    def one(self, seconds=3.0, fate="success", task="reach the mug"):
        """Record one demonstration whole; return what became of it."""
        self.run(1.5)
        self.recorder.start(task, self.now_ns)
        self.run(seconds)
        self.recorder.end(fate, self.now_ns)
        self.settle()
        return self.outcomes[-1]
