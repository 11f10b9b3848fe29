"""One model behind an action: a goal at a time, each answered, if only with the reason why not."""

import gc
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node

from policy_ros.serving.rig import RigFacts
from policy_ros.serving.served import ServedModel, Tell
from tiltbot.msg import Episode
from tiltbot.srv import LoadModel
from tiltbot_ros import topics
from tiltbot_ros.errors import ModelError, TiltbotError
from tiltbot_ros.nodes.diagnosing import Diagnostics, Health
from tiltbot_ros.nodes.parameters import declare, refuse_unknown
from tiltbot_ros.nodes.running import Fault
from tiltbot_ros.nodes.wiring import subscription
from tiltbot_ros.serving import ACTIONS, Role, ServedRigSettings, ServingSettings

Answer = Callable[[ServedModel, Any, Tell], Any]
"""Returns the result of a request; told each phase, it may be made to give up by an exception."""

BUSY = "busy with another goal: wait for its result, or cancel it"


class _Cancelled(Exception):  # noqa: N818 - not a fault
    """The client asked to stop."""


class ModelServerNode(Node):
    """Serves one model as the action of its role.

    Goals are always accepted, because only a result can say why not: a goal
    that comes while another is answered is aborted with that reason. A thread
    of its own answers, and reads new episodes ahead; `~/load_model` changes
    the model between two goals. A model that cannot be used is a reason, too:
    the node stays.

    Args:
        role: what the model is served for.
        action_type: of the action.
        answer: makes the result of a request.
    """

    def __init__(self, _fault: Fault, *, role: Role, action_type: Any, answer: Answer) -> None:
        super().__init__(ACTIONS[role])
        self._role = role
        self._type = action_type
        self._answer = answer
        self._settings = declare(self, ServingSettings, "serving")
        rig = declare(self, ServedRigSettings, "rig")
        refuse_unknown(self)
        self._rig = RigFacts(**rig.model_dump())
        self._model: ServedModel | None = None
        self._refusal = ""
        self._lock = Lock()
        self._under_way: ServerGoalHandle | None = None
        self._tasks: SimpleQueue[tuple[ServerGoalHandle, float] | str | None] = SimpleQueue()
        self._closing = Event()
        self._answered = self._refused = 0
        self._slowest_s = 0.0
        self._load_at_start()
        # What lives for good need not be looked at by each collection of garbage.
        gc.collect()
        gc.freeze()
        self._thread = Thread(target=self._work, name="model", daemon=True)
        self._thread.start()
        self._episodes = subscription(self, topics.EPISODE, self._on_episode)
        self._loading = self.create_service(LoadModel, "~/load_model", self._on_load)
        self._diagnostics = Diagnostics(self, hardware="", health=self._health)
        self._server = ActionServer(
            self,
            action_type,
            ACTIONS[role],
            # The thread carries a goal out; what the server calls "execute" only tells its end.
            execute_callback=lambda _: action_type.Result(),
            handle_accepted_callback=self._begin,
            goal_callback=lambda _: GoalResponse.ACCEPT,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    # Models

    def _load_at_start(self) -> None:
        try:
            self._model = self._open(self._settings.checkpoint)
        except TiltbotError as error:
            self._refusal = f"no model is served: {error}"
            self.get_logger().error(self._refusal)
            return
        self.get_logger().info(self._served())

    def _open(self, checkpoint: str) -> ServedModel:
        if not checkpoint:
            raise ModelError("expected serving.checkpoint, the folder of a checkpoint, got none")
        return ServedModel.open(
            Path(checkpoint).expanduser(),
            self._role,
            self._rig,
            self._settings,
            backend=self._settings.backend,
        )

    def _served(self) -> str:
        model = self._model
        if model is None:
            return self._refusal
        contract = model.contract
        return f"serving '{contract.model}' ({contract.signature}) with {model.backend}"

    def _on_load(
        self, request: LoadModel.Request, response: LoadModel.Response
    ) -> LoadModel.Response:
        try:
            model = self._open(request.checkpoint)
        except TiltbotError as error:
            response.message = str(error)
            self.get_logger().error(f"another model was refused: {error}")
        else:
            with self._lock:
                self._model = model
            response.success = True
            response.message = self._served()
            self.get_logger().info(response.message)
        if self._model is not None:
            response.model = self._model.contract.signature
        return response

    # Goals

    def _begin(self, goal: ServerGoalHandle) -> None:
        now_s = time.monotonic()
        if self._under_way is not None:
            self._conclude(goal, self._failure(BUSY), now_s)
            return
        self._under_way = goal
        self._tasks.put((goal, now_s))

    def _on_episode(self, episode: Episode) -> None:
        self._tasks.put(episode.uri)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            if isinstance(task, str):
                self._read_ahead(task)
                continue
            goal, began_s = task
            result = self._result_of(goal)
            if self._closing.is_set():
                return
            self._under_way = None
            self._conclude(goal, result, began_s)

    def _read_ahead(self, uri: str) -> None:
        with self._lock:
            model = self._model
        if model is not None and self._settings.remembered and model.hears:
            # A goal about it will tell what is wrong with it.
            with suppress(Exception):
                model.of_episode(uri)

    def _result_of(self, goal: ServerGoalHandle) -> Any:
        with self._lock:
            model = self._model
        if model is None:
            return self._failure(self._refusal)
        try:
            self._tell(goal, "reading")
            result = self._answer(model, goal.request, partial(self._tell, goal))
            _check_wanted(goal)
        except _Cancelled:
            result = self._failure("cancelled")
        except TiltbotError as error:
            result = self._failure(str(error))
        except Exception as error:  # noqa: BLE001 - whatever a goal holds, the server stays
            self.get_logger().error(f"a goal failed: {type(error).__name__}: {error}")
            result = self._failure(f"the goal could not be answered: {type(error).__name__}")
        else:
            result.success = True
        result.model = model.contract.signature
        return result

    def _tell(self, goal: ServerGoalHandle, phase: str) -> None:
        _check_wanted(goal)
        goal.publish_feedback(self._type.Feedback(phase=phase))

    def _failure(self, reason: str) -> Any:
        return self._type.Result(success=False, reason=reason)

    def _conclude(self, goal: ServerGoalHandle, result: Any, began_s: float) -> None:
        result.latency_s = time.monotonic() - began_s
        if result.success:
            self._answered += 1
            self._slowest_s = max(self._slowest_s, result.latency_s)
        else:
            self._refused += 1
        goal.execute(partial(_end, result))

    def _health(self) -> Health:
        slowest_s, self._slowest_s = self._slowest_s, 0.0
        values: dict[str, float | int | str] = {
            "answered": self._answered,
            "refused": self._refused,
            "slowest [ms]": f"{1000 * slowest_s:.1f}",
        }
        return Health(
            level="error" if self._model is None else "ok", message=self._served(), values=values
        )

    def close(self) -> None:
        """Let a goal under way go unanswered, and end the thread."""
        self._closing.set()
        self._tasks.put(None)
        self._thread.join(timeout=2.0)


def _check_wanted(goal: ServerGoalHandle) -> None:
    if goal.is_cancel_requested:
        raise _Cancelled


def _end(result: Any, goal: ServerGoalHandle) -> Any:
    if result.success:
        goal.succeed()
    elif goal.is_cancel_requested:
        goal.canceled()
    else:
        goal.abort()
    return result
