"""The rows of a demonstration: at each step of the policy, what was known and what was done."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.rosbag2 import Reader
from scipy.spatial.transform import Rotation

from tiltbot_ros.arms.arm import ToolPose
from tiltbot_ros.arms.poses import pose_vector
from tiltbot_ros.demonstrations.facts import DemonstrationFacts
from tiltbot_ros.episodes.cdr import time_ns
from tiltbot_ros.episodes.mcap_sizes import check_sizes
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.errors import EpisodeError

DELTA, POSE, JOINTS = "arm/delta", "arm/pose", "arm/joint_states"

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class PoseTrack:
    """Poses of a tool over time.

    Attributes:
        stamps_ns: (m,) int64, ROS clock [ns].
        poses: (m, 6) float64, position [m] and rotation vector from neutral [rad].
    """

    stamps_ns: NDArray[np.int64]
    poses: Array

    def at(self, time_ns: int) -> Array | None:
        """Return the newest pose (6,) at a moment, None before the first."""
        found = bisect_right(self.stamps_ns, time_ns)
        return None if found == 0 else self.poses[found - 1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """One row a step; what was measured is the newest that was known when the step was made.

    Attributes:
        stamps_ns: (n,) int64, when each step was made (ROS clock) [ns].
        sequences: (n,) int64, its running number.
        deltas: (n, 6) float64, the action: translation [m], rotation vector [rad], base axes.
        grippers: (n,) float64, the action: 0 open .. 1 closed, NaN: leave it.
        poses: (n, 6) float64, measured tool: position [m], rotation vector from neutral [rad].
        joint_names: names of the joints.
        joints: (n, j) float64, measured joints [rad], and the gripper's fingers [m].
    """

    stamps_ns: NDArray[np.int64]
    sequences: NDArray[np.int64]
    deltas: Array
    grippers: Array
    poses: Array
    joint_names: tuple[str, ...]
    joints: Array

    def __len__(self) -> int:
        return len(self.stamps_ns)


@dataclass(frozen=True, kw_only=True, slots=True)
class Demonstration:
    """A demonstration as it is read back, without pictures and sound.

    Attributes:
        facts: its late facts.
        steps: its rows.
        track: every measured pose of the tool, at the arm's rate.
    """

    facts: DemonstrationFacts
    steps: Steps
    track: PoseTrack


def read_demonstration(path: Path) -> Demonstration:
    """Read facts, steps and poses of a demonstration's directory.

    Raises:
        EpisodeError: it is none, its bag is corrupt, or it has no steps or no poses.
    """
    facts = DemonstrationFacts.read(path)
    wanted: dict[str, list[Any]] = {DELTA: [], POSE: [], JOINTS: []}
    for topic, message in _messages(path, tuple(wanted)):
        wanted[topic].append(message)
    for messages in wanted.values():
        messages.sort(key=_stamp_ns)
    for topic, messages in wanted.items():
        if not messages:
            raise EpisodeError(f"{path}: expected messages on {topic}, but there are none")
    track = PoseTrack(
        stamps_ns=_stamps(wanted[POSE]), poses=np.array([_pose(m) for m in wanted[POSE]])
    )
    return Demonstration(facts=facts, steps=_steps(wanted, track), track=track)


def _steps(wanted: dict[str, list[Any]], track: PoseTrack) -> Steps:
    joints, deltas = wanted[JOINTS], wanted[DELTA]
    joint_stamps = _stamps(joints)
    stamps = _stamps(deltas)
    unknown = np.full(6, np.nan)
    rows = [track.at(int(stamp)) for stamp in stamps]
    nearest = [max(int(bisect_right(joint_stamps, stamp)) - 1, 0) for stamp in stamps]
    return Steps(
        stamps_ns=stamps,
        sequences=np.array([message.sequence for message in deltas], np.int64),
        deltas=np.array([message.delta for message in deltas], np.float64),
        grippers=np.array([message.gripper for message in deltas], np.float64),
        poses=np.array([unknown if row is None else row for row in rows]),
        joint_names=tuple(joints[0].name),
        joints=np.array([joints[index].position for index in nearest], np.float64),
    )


def _messages(path: Path, topics: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Yield the messages of the topics that end so, whatever namespace the rig had."""
    store = typestore()
    try:
        for file in sorted(path.glob("*.mcap")):
            check_sizes(file)
        with Reader(path) as reader:
            names = {
                connection.topic: topic
                for connection in reader.connections
                for topic in topics
                if connection.topic.endswith(f"/{topic}")
            }
            chosen = [c for c in reader.connections if c.topic in names]
            for connection, _, data in reader.messages(chosen) if chosen else ():
                yield names[connection.topic], store.deserialize_cdr(data, connection.msgtype)
    except EpisodeError:
        raise
    except Exception as error:  # the parsers raise anything on corrupt bytes
        raise EpisodeError(
            f"{path}: the bag cannot be read ({type(error).__name__}: {error})"
        ) from error


def _stamp_ns(message: Any) -> int:
    return time_ns(message.header.stamp)


def _stamps(messages: list[Any]) -> NDArray[np.int64]:
    return np.array([_stamp_ns(message) for message in messages], np.int64)


def _pose(message: Any) -> Array:
    position, turn = message.pose.position, message.pose.orientation
    rotation = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).as_matrix()
    tool = ToolPose(position=np.array([position.x, position.y, position.z]), rotation=rotation)
    return pose_vector(tool)
