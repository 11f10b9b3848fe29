"""Lets the collect node begin by itself, as its own first client."""

from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.task import Future

from tiltbot.action import CollectObject
from tiltbot_ros.collecting import AutostartSettings
from tiltbot_ros.errors import TiltbotError
from tiltbot_ros.nodes.running import Fault

POLL_S = 0.2


class CollectionFailedError(TiltbotError):
    """An object was not collected as it was asked."""


class Autostart:
    """Sends one goal after another to `collect` and ends the process after the last.

    The goals go through the action, so that everyone who watches it sees them.

    Args:
        node: the collect node.
        settings: which objects, and how much of each.
        fault: takes the end of it; the exit status tells whether all went well.
    """

    def __init__(self, node: Node, settings: AutostartSettings, fault: Fault) -> None:
        self._node = node
        self._settings = settings
        self._fault = fault
        self._left = list(settings.objects)
        self._failed: list[str] = []
        self._client = ActionClient(node, CollectObject, "collect")
        self._timer = node.create_timer(POLL_S, self._begin)

    def _begin(self) -> None:
        if self._client.server_is_ready():
            self._timer.cancel()
            self._next()

    def _next(self) -> None:
        if not self._left:
            self._end()
            return
        goal = CollectObject.Goal(
            object=self._left[0], episodes=self._settings.episodes, minutes=self._settings.minutes
        )
        self._client.send_goal_async(goal).add_done_callback(self._on_answer)

    def _on_answer(self, answer: Future) -> None:
        handle = answer.result()
        if handle.accepted:
            handle.get_result_async().add_done_callback(self._on_result)
        else:
            self._done(well=False)

    def _on_result(self, outcome: Future) -> None:
        result = outcome.result().result
        self._node.get_logger().info(
            f"{self._left[0]}: {result.clean} clean, {result.flagged} flagged in {result.tilts} "
            f"tilts ({result.reason})"
        )
        self._done(well=result.success)

    def _done(self, *, well: bool) -> None:
        name = self._left.pop(0)
        if not well:
            self._failed.append(name)
        self._next()

    def _end(self) -> None:
        if self._failed:
            self._fault.set(CollectionFailedError(f"not collected: {', '.join(self._failed)}"))
        self._fault.finish()
