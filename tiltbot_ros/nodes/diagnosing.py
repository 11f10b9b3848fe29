"""The health of a node on `diagnostics`, once a second."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from tiltbot_ros import topics
from tiltbot_ros.nodes.wiring import publisher

Level = Literal["ok", "warn", "error", "stale"]

_LEVELS = {
    "ok": DiagnosticStatus.OK,
    "warn": DiagnosticStatus.WARN,
    "error": DiagnosticStatus.ERROR,
    "stale": DiagnosticStatus.STALE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """What a node says of itself.

    Attributes:
        level: how bad it is.
        message: one line for a person.
        values: figures, printed as they are.
    """

    level: Level
    message: str
    values: Mapping[str, float | int | str]


class Diagnostics:
    """Asks for the health once a second, publishes it, and logs a change of level."""

    def __init__(self, node: Node, *, hardware: str, health: Callable[[], Health]) -> None:
        self._node = node
        self._hardware = hardware
        self._health = health
        self._level: Level = "ok"
        self._publisher = publisher(node, topics.DIAGNOSTICS)
        self._timer = node.create_timer(1.0, self._publish)

    def _publish(self) -> None:
        health = self._health()
        if health.level != self._level:
            log = self._node.get_logger()
            # rclpy ties a severity to the line of the call, so each has its own.
            if health.level == "ok":
                log.info(f"well again: {health.message}")
            elif health.level == "error":
                log.error(health.message)
            else:
                log.warning(health.message)
            self._level = health.level
        status = DiagnosticStatus(
            level=_LEVELS[health.level],
            name=self._node.get_fully_qualified_name(),
            message=health.message,
            hardware_id=self._hardware,
            values=[KeyValue(key=key, value=str(value)) for key, value in health.values.items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)
