"""One run of `tiltbot collect`: the graph's processes, its client, and the panel."""

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from rclpy.action import ActionClient
from rclpy.node import Node
from rich.console import Console
from rich.live import Live

from tiltbot.action import CollectObject
from tiltbot.msg import Episode, RecorderStatus
from tiltbot_ros import topics
from tiltbot_ros.bringup import NodeSpec
from tiltbot_ros.commands.command_graph import CommandGraph
from tiltbot_ros.commands.panel import PanelState, Rate, render
from tiltbot_ros.errors import DeviceError, TiltbotError
from tiltbot_ros.nodes.wiring import subscription
from tiltbot_ros.supervisor import Ending, last_words

START_TIMEOUT_S = 60.0
CANCEL_TIMEOUT_S = 10.0
REFRESH_HZ = 4.0


class _Interrupts:
    """Counts Ctrl-C: the first asks for an orderly end, the second for an end now."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.count > 1:
            raise KeyboardInterrupt


_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a polite kill, and a terminal that is closed."""


@contextmanager
def _counted_interrupts() -> Iterator[_Interrupts]:
    counter = _Interrupts()
    before = {number: signal.signal(number, counter) for number in _ENDING}
    try:
        yield counter
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class CollectSession:
    """Starts the graph on entering, ends it on leaving.

    Args:
        specs: the processes of the graph.
        namespace: of all nodes.
        log_directory: a log file a node is written there.
        console: where to print.
        live: show the panel instead of lines.
        title: of the panel.
    """

    def __init__(
        self,
        specs: Sequence[NodeSpec],
        *,
        namespace: str,
        log_directory: Path,
        console: Console,
        live: bool,
        title: str,
    ) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=False) if live else None
        self._state = PanelState(title=title)
        self._namespace = namespace
        self._logs = log_directory
        self._graph = CommandGraph(specs, namespace=namespace, log_directory=log_directory)
        self._drawn_s = 0.0
        self.last = ""
        self.interrupted = False

    @property
    def clean(self) -> int:
        """Clean episodes of this run."""
        return self._state.clean_total

    @property
    def flagged(self) -> int:
        """Flagged episodes of this run."""
        return self._state.flagged_total

    def __enter__(self) -> Self:
        """Start the processes and the client."""
        self._graph.open(self._make_client)
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes; finished episodes stay."""
        try:
            if self._live:
                self._live.stop()
        finally:  # the terminal may be gone
            self._graph.close()

    def _make_client(self) -> Node:
        node = Node("collect_command", namespace=self._namespace or None)
        self._client = ActionClient(node, CollectObject, "collect")
        self._subscriptions = [
            subscription(node, topics.RECORDER_STATUS, self._on_status),
            subscription(node, topics.EPISODE, self._on_episode),
        ]
        return node

    def collect(self, names: Sequence[str], *, episodes: int, minutes: float) -> bool:
        """Collect one object after another; return whether all were collected.

        Raises:
            DeviceError: the graph did not come up, or a node it needs has ended.
        """
        with _counted_interrupts() as interrupts:
            self._wait_for_server(interrupts)
            for name in names:
                if interrupts.count or not self._collect_one(
                    interrupts, name, episodes=episodes, minutes=minutes
                ):
                    self.interrupted = interrupts.count > 0
                    return False
        return True

    def _wait_for_server(self, interrupts: _Interrupts) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._client.server_is_ready() and not interrupts.count:
            if time.monotonic() > deadline:
                raise DeviceError(
                    f"the graph did not come up within {START_TIMEOUT_S:g} s; the logs in "
                    f"{self._logs} say why"
                )
            self._spin()

    def _collect_one(
        self, interrupts: _Interrupts, name: str, *, episodes: int, minutes: float
    ) -> bool:
        state = self._state
        state.object, state.wanted, state.clean, state.tilts = name, episodes, 0, 0
        self._say(f"{name}: collecting")
        goal = CollectObject.Goal(object=name, episodes=episodes, minutes=minutes)
        sent = self._client.send_goal_async(goal, feedback_callback=self._on_feedback)
        handle = self._until(sent, interrupts)
        if handle is None or not handle.accepted:
            raise DeviceError(
                f"the collection of {name} was refused: {last_words(self._logs / 'collect.log')}"
            )
        outcome = handle.get_result_async()
        cancel_deadline = float("inf")
        while not outcome.done():
            if interrupts.count and cancel_deadline == float("inf"):
                self._say("ending: the tilt is stopped, finished episodes are kept")
                handle.cancel_goal_async()
                cancel_deadline = time.monotonic() + CANCEL_TIMEOUT_S
            if time.monotonic() > cancel_deadline:
                return False
            self._spin()
        result = outcome.result().result
        self._say(
            f"{name}: {result.reason}; {result.clean} clean, {result.flagged} flagged, "
            f"{result.tilts} tilts"
        )
        if not result.success and not interrupts.count:
            raise TiltbotError(f"{name}: {result.reason}")
        return bool(result.success)

    def _until(self, future: Any, interrupts: _Interrupts) -> Any:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not future.done() and time.monotonic() < deadline and not interrupts.count:
            self._spin()
        return future.result() if future.done() else None

    def _spin(self) -> None:
        self._graph.spin(0.1)
        for ending in self._graph.ended():
            self._on_ending(ending)
        now = time.monotonic()
        if self._live and now - self._drawn_s > 1.0 / REFRESH_HZ:
            self._drawn_s = now
            self._live.update(render(self._state), refresh=True)

    def _on_ending(self, ending: Ending) -> None:
        told = f"{ending}\nall of its log: {ending.log}"
        if ending.required:
            raise DeviceError(told)
        self._say(told)

    def _on_feedback(self, message: Any) -> None:
        feedback, state = message.feedback, self._state
        if feedback.phase != state.phase and self._live is None:
            self._say(f"{state.object}: {feedback.phase}")
        state.phase, state.waiting_for = feedback.phase, feedback.waiting_for
        state.clean, state.tilts = feedback.clean, feedback.tilts
        state.episodes_per_hour = feedback.episodes_per_hour
        state.time_left_s = feedback.time_left_s

    def _on_episode(self, episode: Episode) -> None:
        state = self._state
        if episode.clean:
            state.clean_total += 1
            self._say(f"{episode.id} clean")
        else:
            state.flagged_total += 1
            self._say(f"{episode.id} flagged: {_shortened(episode.problems)}")
        self.last = episode.id

    def _on_status(self, status: RecorderStatus) -> None:
        state = self._state
        state.disk_free_bytes = status.disk_free_bytes
        state.rates = tuple(
            Rate(topic=r.topic, rate_hz=r.rate_hz, expected_hz=r.expected_hz, lost=r.lost)
            for r in status.topics
            if r.expected_hz
        )
        drops: dict[str, int] = {}
        for drop in status.drops:
            drops[drop.cause] = drops.get(drop.cause, 0) + drop.count
        state.drops = drops

    def _say(self, text: str) -> None:
        if self._live:
            self._state.events.append(text)
        else:
            self._console.print(text, highlight=False, markup=False, soft_wrap=True)


def _shortened(problems: Sequence[str], most: int = 2) -> str:
    """Return the first problems; `tiltbot episodes check` tells all."""
    more = f"; and {len(problems) - most} more" if len(problems) > most else ""
    return "; ".join(problems[:most]) + more
