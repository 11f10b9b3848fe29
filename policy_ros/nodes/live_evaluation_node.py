"""Judges the models by every new episode while collection runs: `evaluation`."""

import time
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Thread

from geometry_msgs.msg import Point
from rclpy.node import Node

from policy_ros.evaluation.live import Judgement, LiveEvaluator, Statistic
from policy_ros.serving.interaction import from_episode
from policy_ros.serving.rig import RigFacts
from policy_ros.serving.served import ServedModel
from tiltbot.msg import Episode, ErrorStatistic, Evaluation
from tiltbot_ros import topics
from tiltbot_ros.errors import TiltbotError
from tiltbot_ros.nodes.diagnosing import Diagnostics, Health
from tiltbot_ros.nodes.parameters import declare, refuse_unknown
from tiltbot_ros.nodes.running import Fault, run
from tiltbot_ros.nodes.wiring import publisher, subscription
from tiltbot_ros.serving import (
    ROLES,
    LiveEvaluationSettings,
    Role,
    ServedRigSettings,
    ServingSettings,
)

LOOK_S = 0.2


class LiveEvaluationNode(Node):
    """Reads each episode as soon as it is on disk, as `tiltbot convert` would.

    A thread of its own loads the models and judges; episodes wait for it in a
    bounded queue, and those that find it full are counted. A model that cannot
    be used is told with every episode: the others are judged.
    """

    def __init__(self, _fault: Fault) -> None:
        super().__init__("live_evaluation")
        self._settings = declare(self, LiveEvaluationSettings, "live")
        self._rig = RigFacts(**declare(self, ServedRigSettings, "rig").model_dump())
        refuse_unknown(self)
        self._refusals: list[str] = []
        self._evaluator: LiveEvaluator | None = None
        self._judged = self._unreadable = self._skipped = 0
        self._waiting: Queue[tuple[Episode, float]] = Queue(self._settings.longest_queue)
        self._closing = Event()
        self._evaluations = publisher(self, topics.EVALUATION)
        self._episodes = subscription(self, topics.EPISODE, self._on_episode)
        self._diagnostics = Diagnostics(self, hardware="", health=self._health)
        self._thread = Thread(target=self._work, name="evaluation", daemon=True)
        self._thread.start()

    def _on_episode(self, episode: Episode) -> None:
        try:
            self._waiting.put_nowait((episode, time.monotonic()))
        except Full:
            self._skipped += 1
            self.get_logger().warning(f"{episode.id} skipped: {self._waiting.maxsize} are waiting")

    # The thread

    def _work(self) -> None:
        self._evaluator = evaluator = self._load()
        while not self._closing.is_set():
            try:
                episode, heard_s = self._waiting.get(timeout=LOOK_S)
            except Empty:
                continue
            self._evaluate(evaluator, episode, heard_s)

    def _load(self) -> LiveEvaluator:
        models: dict[Role, ServedModel] = {}
        for role in ROLES:
            checkpoint = getattr(self._settings, role)
            if not checkpoint:
                continue
            try:
                models[role] = ServedModel.open(
                    Path(checkpoint).expanduser(),
                    role,
                    self._rig,
                    ServingSettings(),
                    backend=self._settings.backend,
                )
            except TiltbotError as error:
                self._refusals.append(f"{role}: no model is judged: {error}")
                self.get_logger().error(self._refusals[-1])
                continue
            contract = models[role].contract
            self.get_logger().info(f"{role}: '{contract.model}' ({contract.signature})")
        return LiveEvaluator(
            models, max_tilt_rad=self._rig.max_tilt_rad, half_side_m=self._rig.half_side_m
        )

    def _evaluate(self, evaluator: LiveEvaluator, episode: Episode, heard_s: float) -> None:
        try:
            judgement = evaluator.judge(from_episode(episode.uri))
        except Exception as error:  # noqa: BLE001 - whatever an episode holds, the next is judged
            self._unreadable += 1
            kind = "" if isinstance(error, TiltbotError) else f"{type(error).__name__}: "
            self.get_logger().warning(f"{episode.id} cannot be judged: {kind}{error}")
            return
        self._judged += 1
        judgement.left_out.extend(self._refusals)
        message = evaluation_message(episode, judgement, evaluator.statistics)
        message.latency_s = time.monotonic() - heard_s
        if not self._closing.is_set():
            self._evaluations.publish(message)

    def _health(self) -> Health:
        evaluator = self._evaluator
        values: dict[str, float | int | str] = {
            "judged": self._judged,
            "unreadable": self._unreadable,
            "skipped": self._skipped,
            "waiting": self._waiting.qsize(),
        }
        if evaluator is None:
            return Health(level="warn", message="loading the models", values=values)
        told = {one.name: f"{one.mean:.4f} of {one.count}" for one in evaluator.statistics}
        if self._refusals:
            message = "; ".join(self._refusals)
            return Health(level="error", message=message, values={**values, **told})
        return Health(level="ok", message="judging", values={**values, **told})

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join(timeout=2.0)


def evaluation_message(
    episode: Episode, judgement: Judgement, statistics: tuple[Statistic, ...]
) -> Evaluation:
    """Return what was said of an episode as a message."""
    ax, ay = judgement.action.tolist()
    true_ax, true_ay = judgement.true_action.tolist()
    message = Evaluation(
        episode=episode.id,
        uri=episode.uri,
        object=episode.object,
        ax=ax,
        ay=ay,
        true_ax=true_ax,
        true_ay=true_ay,
        predicted_object=judgement.object,
        probability=judgement.probability,
        location=_point(judgement.location_m.tolist()),
        true_location=_point(judgement.true_location_m.tolist()),
        left_out=judgement.left_out,
        statistics=[
            ErrorStatistic(
                name=one.name,
                unit=one.unit,
                count=one.count,
                last=one.last,
                mean=one.mean,
                deviation=one.deviation,
                recent=one.recent,
            )
            for one in statistics
        ],
    )
    message.header.stamp = episode.header.stamp
    return message


def _point(xy: list[float]) -> Point:
    return Point(x=xy[0], y=xy[1], z=0.0)


def main() -> int:
    """Run the node."""
    # An evaluation may come late; sound and goals may not.
    return run(LiveEvaluationNode, niceness=5)
