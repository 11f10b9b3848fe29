"""The process between the Kinova driver and twist_controller: whoever dies, zero is sent.

twist_controller carries out its last message for ever. This process gets velocities on
its standard input, one JSON list of six numbers [m/s, rad/s] a line, and publishes them;
when no line comes in time, or the input ends because the driver was killed, it sends zero.
On its standard output it says READY when it listens, and HEARD once a controller takes
what it publishes.
"""

import json
import os
import select
import signal
import sys
import time

import numpy as np
import rclpy
from geometry_msgs.msg import Twist
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions

from tiltbot_ros.arms.kinova.twist_watchdog import TwistWatchdog

PERIOD_S = 0.01
ENDING_S = 0.3
MOST_BYTES = 65536
READY, HEARD = b"ready\n", b"heard\n"


def message(twist: np.ndarray) -> Twist:
    """Return velocities (6,) [m/s, rad/s] as Kortex takes them: angles in degrees a second."""
    out = Twist()
    out.linear.x, out.linear.y, out.linear.z = (float(value) for value in twist[:3])
    angular = np.rad2deg(twist[3:])
    out.angular.x, out.angular.y, out.angular.z = (float(value) for value in angular)
    return out


def _parsed(line: bytes) -> np.ndarray:
    try:
        return np.array(json.loads(line), dtype=np.float64)
    except (ValueError, TypeError):
        return np.array([np.nan])


def _say(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def main() -> int:
    """Guard one topic: TOPIC SILENCE_S."""
    topic, silence_s = sys.argv[1], float(sys.argv[2])
    ending: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.append(1))
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node(f"tiltbot_twist_guard_{os.getpid()}")
    publisher = node.create_publisher(Twist, topic, QoSProfile(depth=1))
    watchdog = TwistWatchdog(silence_s)
    source, rest = sys.stdin.fileno(), b""
    os.set_blocking(source, False)
    _say(READY)
    heard = False
    while not ending:
        if not heard and publisher.get_subscription_count() > 0:
            heard = True
            _say(HEARD)
        if select.select([source], [], [], PERIOD_S)[0]:
            data = os.read(source, MOST_BYTES)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            if lines:  # only the newest counts
                publisher.publish(message(watchdog.hear(_parsed(lines[-1]), time.monotonic())))
        zero = watchdog.due(time.monotonic())
        if zero is not None:
            publisher.publish(message(zero))
    end_s = time.monotonic() + ENDING_S
    while time.monotonic() < end_s:
        publisher.publish(message(np.zeros(6)))
        time.sleep(3 * PERIOD_S)
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
