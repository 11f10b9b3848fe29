"""Messages to another process and back, over the middleware in force.

Run as a module with ECHO TOPIC, it is that other process.
"""

import os
import statistics
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_msgs.msg import UInt8MultiArray

from tiltbot_ros.errors import DeviceError

_SMALL, _LARGE = 4_000, 640 * 480 * 3
_SMALL_COUNT, _LARGE_COUNT = 40, 8
_DISCOVERY_S = 12.0
_ANSWER_S = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RoundTrip:
    """What became of a number of messages [s]."""

    sent: int
    returned: int
    median_s: float
    slowest_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RoundTrips:
    """Of messages of the size of a block of sound, and of an image."""

    small: RoundTrip
    large: RoundTrip


def measure() -> RoundTrips:
    """Start the other process and measure.

    Raises:
        DeviceError: it is not found, or does not start.
    """
    topic = f"tiltbot_doctor_{os.getpid()}"
    rclpy.init()
    node = rclpy.create_node(f"doctor_{os.getpid()}")
    try:
        with _other_process(topic) as other:
            return _measure(node, topic, other)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


def echo(topic: str) -> None:
    """Send every message back, until the process is ended."""
    rclpy.init()
    node = rclpy.create_node(f"doctor_echo_{os.getpid()}")
    back = node.create_publisher(UInt8MultiArray, f"{topic}_back", _qos())
    node.create_subscription(UInt8MultiArray, f"{topic}_there", back.publish, _qos())
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


def _measure(node: Node, topic: str, other: "subprocess.Popen[bytes]") -> RoundTrips:
    there = node.create_publisher(UInt8MultiArray, f"{topic}_there", _qos())
    answers: list[int] = []
    node.create_subscription(
        UInt8MultiArray, f"{topic}_back", lambda message: answers.append(message.data[0]), _qos()
    )
    deadline = time.monotonic() + _DISCOVERY_S
    while not (there.get_subscription_count() and node.count_publishers(f"{topic}_back")):
        if other.poll() is not None:
            raise DeviceError(f"the other process ended with status {other.returncode}")
        if time.monotonic() > deadline:
            raise DeviceError(f"two processes on this computer did not meet in {_DISCOVERY_S:g} s")
        rclpy.spin_once(node, timeout_sec=0.05)
    # The first message also pays for what both sides set up.
    _send(node, there, answers, size=_SMALL, count=1)
    return RoundTrips(
        small=_send(node, there, answers, size=_SMALL, count=_SMALL_COUNT),
        large=_send(node, there, answers, size=_LARGE, count=_LARGE_COUNT),
    )


def _send(node: Node, there: Any, answers: list[int], *, size: int, count: int) -> RoundTrip:
    times = []
    for number in range(count):
        answers.clear()
        message = UInt8MultiArray(data=array("B", bytes([number]) * size))
        start = time.perf_counter()
        there.publish(message)
        while number not in answers and time.perf_counter() - start < _ANSWER_S:
            rclpy.spin_once(node, timeout_sec=_ANSWER_S)
        if number in answers:
            times.append(time.perf_counter() - start)
    return RoundTrip(
        sent=count,
        returned=len(times),
        median_s=statistics.median(times) if times else float("inf"),
        slowest_s=max(times, default=float("inf")),
    )


def _qos() -> QoSProfile:
    return QoSProfile(depth=16)


@contextmanager
def _other_process(topic: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "tiltbot_ros.doctor.roundtrip", topic]
    other = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        yield other
    finally:
        other.terminate()
        try:
            other.wait(5.0)
        except subprocess.TimeoutExpired:
            other.kill()
            other.wait()


if __name__ == "__main__":
    echo(sys.argv[1])
