"""Collects episodes of one object after another: the `collect` action."""

import time
from functools import partial
from threading import Event, Thread
from typing import Any

from rclpy.action import ActionClient, ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import SetBool, Trigger

from tiltbot.action import CollectObject
from tiltbot.action import Tilt as TiltAction
from tiltbot.msg import Episode, RecorderStatus
from tiltbot.srv import SetObject
from tiltbot_ros import topics
from tiltbot_ros.arms.tilts import RandomTilts, TiltSettings
from tiltbot_ros.collecting import AutostartSettings, Collection, CollectSettings, Target
from tiltbot_ros.errors import ConfigError, TiltbotError
from tiltbot_ros.nodes.autostart import Autostart
from tiltbot_ros.nodes.diagnosing import Diagnostics, Health
from tiltbot_ros.nodes.parameters import declare, declare_dry_run, refuse_unknown
from tiltbot_ros.nodes.running import Fault, run
from tiltbot_ros.nodes.wiring import clock_ns, nanoseconds, subscription

POLL_S = 0.1
SERVICE_TIMEOUT_S = 20.0
DISCOVERY_S = 5.0
"""A node whose streams flow already may be about to be discovered as a server."""


class _GaveUpError(TiltbotError):
    """The collection cannot go on; the text is the result's reason."""


class _Cancelled(Exception):  # noqa: N818 - not a fault
    """The client asked to stop."""


class CollectNode(Node):
    """One collection at a time: gate, empty tray, object, tilts."""

    def __init__(self, fault: Fault) -> None:
        super().__init__("collect")
        self._settings = declare(self, CollectSettings, "collect")
        self._tilt = declare(self, TiltSettings, "tilt")
        autostart = declare(self, AutostartSettings, "autostart")
        self._dry_run = declare_dry_run(self)
        refuse_unknown(self)
        self._tilts = RandomTilts(self._settings.seed, self._tilt)
        self._status: RecorderStatus | None = None
        self._collection: Collection | None = None
        self._object = ""
        self._phase = ""
        self._confirmed = False
        self._closing = Event()
        self._thread: Thread | None = None
        self._tilt_client = ActionClient(self, TiltAction, "tilt")
        self._world_object = self.create_client(SetObject, "world/set_object")
        self._label = self.create_client(SetObject, "recorder/set_object")
        self._pause = self.create_client(SetBool, "recorder/pause")
        self._learn = self.create_client(Trigger, "tracker/learn_background")
        self._has_background = self.create_client(Trigger, "tracker/has_background")
        self._confirm = self.create_service(Trigger, "~/confirm", self._on_confirm)
        self._statuses = subscription(self, topics.RECORDER_STATUS, self._on_status)
        self._episodes = subscription(self, topics.EPISODE, self._on_episode)
        self._server = ActionServer(
            self,
            CollectObject,
            "collect",
            # A goal is carried out in a thread of its own, which waits where it
            # must; what the server calls "execute" only tells its end.
            execute_callback=lambda _: CollectObject.Result(),
            handle_accepted_callback=self._begin,
            goal_callback=self._accept,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )
        self._diagnostics = Diagnostics(self, hardware="", health=self._health)
        self._autostart = Autostart(self, autostart, fault) if autostart.objects else None

    # What comes in

    def _on_status(self, status: RecorderStatus) -> None:
        self._status = status

    def _on_episode(self, episode: Episode) -> None:
        if self._collection is not None and episode.object == self._object:
            self._collection.on_episode(clean=episode.clean)

    def _on_confirm(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._confirmed = True
        response.success = True
        response.message = "thank you"
        return response

    def _accept(self, goal: CollectObject.Goal) -> GoalResponse:
        refusal = ""
        if self._collection is not None:
            refusal = "another collection is under way; wait for it or cancel it"
        elif not goal.object:
            refusal = "expected the name of an object, got none"
        else:
            try:
                self._new_collection(goal)
            except ConfigError as error:
                refusal = str(error)
        if refusal:
            self.get_logger().error(f"collection refused: {refusal}")
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _new_collection(self, goal: CollectObject.Goal) -> Collection:
        target = Target(episodes=int(goal.episodes), minutes=float(goal.minutes))
        return Collection(target, self._settings)

    # One collection

    def _begin(self, goal: ServerGoalHandle) -> None:
        self._collection = self._new_collection(goal.request)
        self._object = goal.request.object
        self._thread = Thread(target=self._run, args=(goal, self._collection), daemon=True)
        self._thread.start()

    def _run(self, goal: ServerGoalHandle, collection: Collection) -> None:
        result = CollectObject.Result()
        try:
            if self._dry_run:
                self._wait_for_tray(goal)
            else:
                self._wait_for_streams(goal)
                self._prepare(goal)
            result.reason = self._run_tilts(goal, collection)
            result.success = True
        except _Cancelled:
            result.reason = "cancelled"
        except TiltbotError as error:
            result.reason = str(error)
            self.get_logger().error(result.reason)
        if self._closing.is_set():
            return
        if not self._dry_run:
            self._finish(goal)
        result.clean, result.flagged = collection.clean, collection.flagged
        result.tilts = collection.tilts
        self._collection = None
        self._phase = ""
        goal.execute(partial(self._conclude, result))

    def _finish(self, goal: ServerGoalHandle) -> None:
        """Let the recorder write what it has begun, then pause it."""
        try:
            if not goal.is_cancel_requested:
                self._drain(goal)
        except TiltbotError as error:
            self.get_logger().error(str(error))
        try:
            if self._pause.service_is_ready():
                self._call(self._pause, SetBool.Request(data=True))
        except TiltbotError as error:
            self.get_logger().error(str(error))

    @staticmethod
    def _conclude(result: CollectObject.Result, goal: ServerGoalHandle) -> CollectObject.Result:
        if result.success:
            goal.succeed()
        elif goal.is_cancel_requested:
            goal.canceled()
        else:
            goal.abort()
        return result

    def _wait_for_streams(self, goal: ServerGoalHandle) -> None:
        self._phase = "gate"
        deadline = time.monotonic() + self._settings.gate_timeout_s
        while not (self._status is not None and self._status.ready):
            if time.monotonic() > deadline:
                what = (
                    "no word from the recorder"
                    if self._status is None
                    else f"no data on {', '.join(self._status.missing)}"
                )
                raise _GaveUpError(
                    f"expected every stream to flow within {self._settings.gate_timeout_s:g} s, "
                    f"but there is {what}; `diagnostics` and the nodes' logs say why"
                )
            missing = ["recorder"] if self._status is None else list(self._status.missing)
            self._pause_for(goal, POLL_S, waiting_for=", ".join(missing))

    def _wait_for_tray(self, goal: ServerGoalHandle) -> None:
        self._phase = "gate"
        deadline = time.monotonic() + self._settings.gate_timeout_s
        while not self._tilt_client.server_is_ready() and time.monotonic() < deadline:
            self._pause_for(goal, POLL_S, waiting_for="the tray")

    def _prepare(self, goal: ServerGoalHandle) -> None:
        if self._settings.preparation == "none":
            self._name_object(goal)
            return
        self._call(self._pause, SetBool.Request(data=True))
        self._phase = "background"
        self._place(goal, "", "empty the tray")
        if self._learn.service_is_ready():
            self._learn_background(goal)
        self._phase = "object"
        self._place(goal, self._object, f"put {self._object} into the middle of the tray")
        self._name_object(goal)

    def _name_object(self, goal: ServerGoalHandle) -> None:
        self._call(self._label, SetObject.Request(name=self._object))
        self._call(self._pause, SetBool.Request(data=False))
        self._pause_for(goal, self._settings.settle_s)

    def _learn_background(self, goal: ServerGoalHandle) -> None:
        self._call(self._learn, Trigger.Request())
        deadline = time.monotonic() + self._settings.gate_timeout_s
        while not self._answer(self._has_background, Trigger.Request()).success:
            if time.monotonic() > deadline:
                raise _GaveUpError(
                    f"the tracker did not learn the empty tray within "
                    f"{self._settings.gate_timeout_s:g} s; are there colour and depth images?"
                )
            self._pause_for(goal, POLL_S)

    def _place(self, goal: ServerGoalHandle, name: str, wish: str) -> None:
        if self._settings.preparation == "world":
            self._call(self._world_object, SetObject.Request(name=name))
            return
        self._confirmed = False
        service = f"{self.get_fully_qualified_name()}/confirm"
        while not self._confirmed:
            self._pause_for(goal, POLL_S, waiting_for=f"{wish}, then call {service}")

    def _run_tilts(self, goal: ServerGoalHandle, collection: Collection) -> str:
        self._phase = "tilting"
        collection.start(time.monotonic())
        while not (reason := collection.enough(time.monotonic())):
            hopeless = collection.hopeless()
            if hopeless:
                raise _GaveUpError(hopeless)
            success = self._tilt_once(goal)
            collection.on_tilt(success=success)
            if self._dry_run and success:
                # Nothing is recorded: a tilt that was shown counts for an episode.
                collection.on_episode(clean=True)
            self._pause_for(goal, self._tilt.rest_s)
        return reason

    def _tilt_once(self, goal: ServerGoalHandle) -> bool:
        ax, ay = self._tilts.next()
        if not self._tilt_client.wait_for_server(DISCOVERY_S):
            raise _GaveUpError("expected the action 'tilt', but no node serves it")
        sent = self._tilt_client.send_goal_async(TiltAction.Goal(ax=ax, ay=ay))
        handle = self._wait(sent, "the tray did not take the goal")
        if not handle.accepted:
            self.get_logger().error("the tray refused a tilt; its log says why")
            return False
        outcome = handle.get_result_async()
        while not outcome.done():
            try:
                self._pause_for(goal, POLL_S)
            except _Cancelled:
                handle.cancel_goal_async()
                raise
        result = outcome.result().result
        if not result.success:
            self.get_logger().error(f"a tilt failed: {result.reason}")
        return bool(result.success)

    def _drain(self, goal: ServerGoalHandle) -> None:
        """Let the recorder finish what it has begun."""
        self._phase = "writing"
        now_ns = clock_ns(self)
        deadline = time.monotonic() + self._settings.drain_timeout_s
        while not self._is_written(now_ns):
            if time.monotonic() > deadline:
                raise _GaveUpError("the recorder did not finish its episodes in time")
            time.sleep(POLL_S)
            self._report(goal, "the last episodes")

    def _is_written(self, since_ns: int) -> bool:
        """Whether the recorder has said, after that time, that nothing is pending."""
        status = self._status
        if status is None:
            return True
        return nanoseconds(status.header.stamp) > since_ns and not status.pending

    # Waiting, in the thread of the collection

    def _pause_for(self, goal: ServerGoalHandle, seconds: float, *, waiting_for: str = "") -> None:
        deadline = time.monotonic() + seconds
        while True:
            if self._closing.is_set() or goal.is_cancel_requested:
                raise _Cancelled
            self._report(goal, waiting_for)
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, POLL_S))

    def _answer(self, client: Client, request: Any) -> Any:
        """Call a service; its silence ends the collection."""
        name = client.srv_name
        if not client.wait_for_service(DISCOVERY_S):
            raise _GaveUpError(f"expected the service '{name}', but no node serves it")
        return self._wait(client.call_async(request), f"'{name}' did not answer")

    @staticmethod
    def _wait(future: Future, silence: str) -> Any:
        done = Event()
        future.add_done_callback(lambda _: done.set())
        if not done.wait(SERVICE_TIMEOUT_S):
            raise _GaveUpError(f"{silence} within {SERVICE_TIMEOUT_S:g} s")
        return future.result()

    def _call(self, client: Client, request: Any) -> None:
        """Call a service; its refusal ends the collection, too."""
        response = self._answer(client, request)
        if not response.success:
            raise _GaveUpError(f"'{client.srv_name}' refused: {response.message}")

    def _report(self, goal: ServerGoalHandle, waiting_for: str) -> None:
        collection = self._collection
        if collection is None:
            return
        now = time.monotonic()
        goal.publish_feedback(
            CollectObject.Feedback(
                phase=self._phase,
                clean=collection.clean,
                flagged=collection.flagged,
                tilts=collection.tilts,
                episodes_per_hour=collection.episodes_per_hour(now),
                time_left_s=collection.time_left_s(now),
                waiting_for=waiting_for,
            )
        )

    def _health(self) -> Health:
        collection = self._collection
        if collection is None:
            return Health(level="ok", message="idle", values={})
        return Health(
            level="ok",
            message=f"{self._phase}: {self._object}",
            values={
                "clean": collection.clean,
                "flagged": collection.flagged,
                "tilts": collection.tilts,
            },
        )

    def close(self) -> None:
        """Give a collection up before ROS goes."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout=2.0)


def main() -> int:
    """Run the node."""
    return run(CollectNode)
