"""One replay of a demonstration: the arm's process, and a commander in this one."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import numpy as np
from geometry_msgs.msg import PoseStamped
from numpy.typing import NDArray
from rclpy.node import Node
from scipy.spatial.transform import Rotation

from tiltbot.msg import ArmDelta, ArmStatus
from tiltbot.srv import CommandArm
from tiltbot_ros import topics
from tiltbot_ros.arms.arm import ToolPose
from tiltbot_ros.arms.poses import pose_vector
from tiltbot_ros.bringup import NodeSpec
from tiltbot_ros.commands.command_graph import CommandGraph
from tiltbot_ros.demonstrations.replaying import (
    Approach,
    Replayed,
    ReplaySettings,
    compare,
    due_s,
    start_of,
)
from tiltbot_ros.demonstrations.steps import Demonstration, PoseTrack
from tiltbot_ros.errors import CommandError, DeviceError
from tiltbot_ros.nodes.wiring import nanoseconds, publisher, subscription

COMMANDER = "replay"
START_TIMEOUT_S = 60.0
ANSWER_TIMEOUT_S = 5.0

Array = NDArray[np.float64]


class ReplayingSession:
    """Starts the arm on entering, ends it on leaving.

    Args:
        spec: the arm's node.
        shown: what is replayed.
        namespace: of all nodes.
        dry_run: compare what the arm would be told.
        say: takes lines for a person.
        settings: how it is replayed.
    """

    def __init__(
        self,
        spec: NodeSpec,
        shown: Demonstration,
        *,
        namespace: str,
        dry_run: bool,
        say: Callable[[str], None],
        settings: ReplaySettings | None = None,
    ) -> None:
        self._graph = CommandGraph([spec], namespace=namespace)
        self._namespace = namespace
        self._dry_run = dry_run
        self._shown = shown
        self._say = say
        self._settings = settings or ReplaySettings()
        self._status: ArmStatus | None = None
        self._poses: list[PoseStamped] = []
        self._sequence = 0

    def __enter__(self) -> Self:
        """Start the arm's process and the client."""
        self._graph.open(self._make_client)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the arm's process: it stops the arm."""
        self._graph.close()

    def _make_client(self) -> Node:
        self._node = Node("replay_command", namespace=self._namespace or None)
        self._deltas = publisher(self._node, topics.ARM_DELTA)
        self._take = self._node.create_client(CommandArm, "arm/take")
        measured = topics.ARM_PREVIEW if self._dry_run else topics.ARM_POSE
        self._kept = [
            subscription(self._node, measured, self._poses.append),
            subscription(self._node, topics.ARM_STATE, self._on_state),
        ]
        return self._node

    def replay(self) -> Replayed:
        """Lead the arm to the start, show all steps, return what became of it.

        Raises:
            CommandError: the arm is not given, or was taken away.
            DeviceError: the arm does not come up, stops, or does not reach the start.
        """
        self._until(lambda: self._poses and self._status, START_TIMEOUT_S, "a pose of the arm")
        self._take_arm()
        self._approach()
        self._say("at the start; replaying")
        before, first = self._now_known(), self._sequence
        del self._poses[:]
        begun_ns, begun_s = self._now_ns(), time.monotonic()
        deltas, grippers = self._shown.steps.deltas, self._shown.steps.grippers
        for due, delta, gripper in zip(due_s(self._shown), deltas, grippers, strict=True):
            self._wait(begun_s + float(due))
            self._send(delta, float(gripper))
        self._rest(self._settings.settle_s)
        after, sent = self._now_known(), self._sequence - first
        error = compare(
            self._shown.track, int(self._shown.steps.stamps_ns[0]), self._track(), begun_ns
        )
        return Replayed(
            error=error,
            sent=sent,
            taken=int(after.deltas - before.deltas),
            clamped=int(after.clamped - before.clamped),
            deadman_stops=int(after.deadman_stops - before.deadman_stops),
        )

    def _now_known(self) -> ArmStatus:
        """Return what the arm says of itself from now on; it rests meanwhile."""
        since_ns, deadline = self._now_ns(), time.monotonic() + ANSWER_TIMEOUT_S
        while time.monotonic() < deadline:
            self._rest(1.0 / self._shown.facts.rate_hz)
            status = self._status
            if status is not None and nanoseconds(status.header.stamp) > since_ns:
                return status
        raise DeviceError("expected the state of the arm, but it says nothing")

    def _take_arm(self) -> None:
        future = self._take.call_async(CommandArm.Request(commander=COMMANDER))
        self._until(future.done, ANSWER_TIMEOUT_S, "an answer of arm/take")
        answer = future.result()
        if not answer.success:
            raise CommandError(answer.message)

    def _approach(self) -> None:
        settings, period_s = self._settings, 1.0 / self._shown.facts.rate_hz
        approach = Approach(start_of(self._shown), settings, rate_hz=self._shown.facts.rate_hz)
        begun_s = due = time.monotonic()
        while not approach.arrived(self._measured()):
            if due - begun_s > settings.approach_s:
                left = approach.left(self._measured())
                raise DeviceError(
                    f"expected the arm at the start within {settings.approach_s:g} s, but it is "
                    f"{np.linalg.norm(left[:3]):.3f} m and {np.linalg.norm(left[3:]):.3f} rad "
                    f"away: {self._words()}"
                )
            due += period_s
            self._wait(due)
            self._send(approach.step(self._measured()), float("nan"))
        self._rest(settings.settle_s)

    def _rest(self, seconds: float) -> None:
        period_s = 1.0 / self._shown.facts.rate_hz
        due = time.monotonic()
        end_s = due + seconds
        while due < end_s:
            due += period_s
            self._wait(due)
            self._send(np.zeros(6), float("nan"))

    def _send(self, delta: Array, gripper: float) -> None:
        self._sequence += 1
        message = ArmDelta(commander=COMMANDER, sequence=self._sequence, gripper=gripper)
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.delta = delta
        self._deltas.publish(message)

    def _wait(self, due_s: float) -> None:
        while (left := due_s - time.monotonic()) > 0:
            self._graph.spin(left)
        self._check()

    def _until(self, condition: Callable[[], object], timeout_s: float, what: str) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise DeviceError(f"expected {what} within {timeout_s:g} s; {self._words()}")
            self._graph.spin(0.1)
            self._check()

    def _check(self) -> None:
        for ending in self._graph.ended():
            raise DeviceError(str(ending))
        status = self._status
        if status is None:
            return
        if status.fault:
            raise DeviceError(f"the arm stopped: {status.fault}")
        if self._sequence > 1 and status.commander not in ("", COMMANDER):
            raise CommandError(f"'{status.commander}' has taken the arm")

    def _words(self) -> str:
        status = self._status
        return "no word from the arm" if status is None else f"{status.mode}: {status.reason}"

    def _on_state(self, status: ArmStatus) -> None:
        self._status = status

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)

    def _measured(self) -> Array:
        return _pose(self._poses[-1])

    def _track(self) -> PoseTrack:
        stamps = [nanoseconds(message.header.stamp) for message in self._poses]
        return PoseTrack(
            stamps_ns=np.array(stamps, np.int64),
            poses=np.array([_pose(message) for message in self._poses]),
        )


def _pose(message: PoseStamped) -> Array:
    at, turn = message.pose.position, message.pose.orientation
    rotation = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).as_matrix()
    return pose_vector(ToolPose(position=np.array([at.x, at.y, at.z]), rotation=rotation))
