"""Lets a person lead the arm: a pose source in, steps of the tool out."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from rclpy.client import Client
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from tiltbot.msg import ArmDelta, ArmStatus, DemonstrationStatus
from tiltbot.srv import CommandArm, EndDemonstration, StartDemonstration
from tiltbot_ros import topics
from tiltbot_ros.arms.deltas import DeltaSettings
from tiltbot_ros.bringup import Value
from tiltbot_ros.nodes.diagnosing import Diagnostics, Health
from tiltbot_ros.nodes.parameters import declare, refuse_unknown
from tiltbot_ros.nodes.running import Fault, run
from tiltbot_ros.nodes.wiring import publisher, subscription
from tiltbot_ros.teleop.opening import SourceSetup, make_source
from tiltbot_ros.teleop.operating import Operator, Turn
from tiltbot_ros.teleop.settings import (
    GamepadSettings,
    HeadsetSettings,
    KeyboardSettings,
    ScriptedSettings,
    TeleopSettings,
)
from tiltbot_ros.teleop.source import News, Wish

NEWS_PERIOD_S = 0.2

_OUTCOMES: Mapping[Wish, int] = {
    "keep": EndDemonstration.Request.KEEP,
    "discard": EndDemonstration.Request.DISCARD,
    "success": EndDemonstration.Request.SUCCESS,
    "failure": EndDemonstration.Request.FAILURE,
}


class TeleopNode(Node):
    """One person and one arm."""

    def __init__(
        self,
        fault: Fault,
        *,
        namespace: str = "",
        parameters: Mapping[str, Value] | None = None,
        task: str = "",
        recorded: bool = False,
    ) -> None:
        """Open the source.

        Args:
            fault: takes the end: the person quits.
            namespace: of the node, where it is not given on the command line.
            parameters: on top of those of the command line.
            task: what the demonstrations show.
            recorded: whether there is to be a recorder.
        """
        given = [Parameter(name, value=value) for name, value in (parameters or {}).items()]
        super().__init__("teleop", namespace=namespace or None, parameter_overrides=given)
        self.settings = declare(self, TeleopSettings, "teleop")
        deltas = declare(self, DeltaSettings, "deltas")
        setup = SourceSetup(
            teleop=self.settings,
            keyboard=declare(self, KeyboardSettings, "keyboard"),
            gamepad=declare(self, GamepadSettings, "gamepad"),
            headset=declare(self, HeadsetSettings, "headset"),
            scripted=declare(self, ScriptedSettings, "scripted"),
        )
        refuse_unknown(self)
        self._fault = fault
        self._task = task
        self._recorded = recorded
        self._frame = deltas.frame_id
        self._sequence = 0
        self._arm: ArmStatus | None = None
        self._recorder: DemonstrationStatus | None = None
        self._remark = ""
        self._told_s = 0.0
        self.source = make_source(setup)
        self._operator = Operator(self.source, self.settings, deltas)
        self._deltas = publisher(self, topics.ARM_DELTA)
        self._take = self.create_client(CommandArm, "arm/take")
        self._release = self.create_client(CommandArm, "arm/release")
        self._stop = self.create_client(Trigger, "arm/stop")
        self._start = self.create_client(StartDemonstration, "demonstrations/start")
        self._end = self.create_client(EndDemonstration, "demonstrations/end")
        self._kept = [
            subscription(self, topics.ARM_STATE, self._on_arm),
            subscription(self, topics.DEMONSTRATIONS, self._on_recorder),
        ]
        self.source.open()
        self._timer = self.create_timer(1.0 / deltas.rate_hz, self._tick)
        self._diagnostics = Diagnostics(self, hardware=self.source.name, health=self._health)
        for line in self.source.help.splitlines():
            self.get_logger().info(line)

    @property
    def clutch(self) -> str:
        """Whether the tool follows the hand."""
        return self._operator.follower.clutch

    @property
    def news(self) -> News:
        """What there is to show to the person."""
        arm, recorder = self._arm, self._recorder
        recording = recorder is not None and recorder.recording
        text = self._remark or ("" if arm is None else arm.fault or arm.reason)
        if recorder is not None and recording:
            text = f"{recorder.id}, {recorder.duration_s:.0f} s, {recorder.steps} steps"
        asked = [self._take, self._start] if self._recorded else [self._take]
        heard = arm is not None and (recorder is not None or not self._recorded)
        return News(
            ready=heard and all(client.service_is_ready() for client in asked),
            mode="no arm" if arm is None else arm.mode,
            commander="" if arm is None else arm.commander,
            recording=recording,
            text=text,
        )

    def _on_arm(self, status: ArmStatus) -> None:
        self._arm = status
        self._operator.on_arm(status.commander, status.mode)

    def _on_recorder(self, status: DemonstrationStatus) -> None:
        self._recorder = status

    def _tick(self) -> None:
        now_s = time.monotonic()
        turn = self._operator.turn(now_s)
        if turn.step is not None:
            self._send(turn)
        if turn.take:
            self._remark = ""
            self._ask(self._take, self._request(), self._on_taken)
        for wish in turn.wishes:
            self._grant(wish)
        if now_s - self._told_s >= NEWS_PERIOD_S:
            self._told_s = now_s
            self.source.tell(self.news)

    def _send(self, turn: Turn) -> None:
        self._sequence += 1
        message = ArmDelta(
            commander=self.settings.commander, sequence=self._sequence, gripper=turn.gripper
        )
        message.header.stamp = self.get_clock().now().to_msg()
        message.header.frame_id = self._frame
        message.delta = np.asarray(turn.step)
        self._deltas.publish(message)

    def _request(self) -> CommandArm.Request:
        return CommandArm.Request(commander=self.settings.commander)

    def _grant(self, wish: Wish) -> None:
        if wish == "quit":
            self._fault.finish()
        elif wish == "stop":
            self._ask(self._stop, Trigger.Request(), self._on_answer)
        elif wish == "start":
            self._ask(self._start, StartDemonstration.Request(task=self._task), self._on_answer)
        else:
            request = EndDemonstration.Request(outcome=_OUTCOMES[wish])
            self._ask(self._end, request, self._on_answer)

    def _ask(self, client: Client, request: Any, answered: Callable[[Any], None]) -> None:
        if not client.service_is_ready():
            self._say(f"nobody serves '{client.srv_name}'")
            return
        client.call_async(request).add_done_callback(lambda future: answered(future.result()))

    def _on_taken(self, response: CommandArm.Response) -> None:
        if response.success:
            self.get_logger().info(response.message)
        else:
            self._operator.on_refused()
            self._say(response.message)

    def _on_answer(self, response: Any) -> None:
        if response.success:
            self._remark = response.message
            self.get_logger().info(response.message)
        else:
            self._say(response.message)

    def _say(self, text: str) -> None:
        self._remark = text
        self.get_logger().warning(text)

    def _health(self) -> Health:
        follower = self._operator.follower
        values: dict[str, float | int | str] = {
            "clutch": follower.clutch,
            "holds the arm": str(self._operator.holds),
            "steps": self._sequence,
            **{f"dropped: {cause}": count for cause, count in follower.dropped.items()},
        }
        if follower.clutch == "stale":
            return Health(level="warn", message=f"no pose from '{self.source.name}'", values=values)
        return Health(level="ok", message=follower.clutch, values=values)

    def close(self) -> None:
        """Give the arm back and let go of the source before ROS goes."""
        self._timer.cancel()
        if self._operator.holds and self._release.service_is_ready():
            self._release.call_async(self._request())
            time.sleep(0.05)  # the request leaves before the node does
        self.source.close()


def main() -> int:
    """Run the node."""
    return run(TeleopNode)
