"""Which executor of rclpy costs least for the messages of a rig.

A publisher sends what a rig sends (sound at 100 Hz, three tray topics at
100 Hz); one subscriber process an executor receives them raw.
"""

import os
import subprocess
import sys
import time

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.executors import MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState

from benchmarks.report import options, tell
from tiltbot_ros import topics
from tiltbot_ros.nodes.audio_publisher import AudioPublisher
from tiltbot_ros.nodes.running import EventsExecutor
from tiltbot_ros.nodes.wiring import publisher, subscription
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat
from tiltbot_ros.supervisor import graph_environment

KINDS = {
    "events": EventsExecutor,
    "single-threaded": SingleThreadedExecutor,
    "multi-threaded": MultiThreadedExecutor,
}


def subscriber(kind: str, seconds: float) -> None:
    """Receive for a while, then print the processor time and the messages per second."""
    rclpy.init()
    node = Node(f"subscriber_{kind.replace('-', '_')}")
    received = [0]

    def count(_: bytes) -> None:
        received[0] += 1

    kept = [subscription(node, topic, count, raw=True) for topic in topics.RECORDED]
    executor = KINDS[kind]()
    executor.add_node(node)
    warm = time.monotonic() + 2.0
    while time.monotonic() < warm:
        executor.spin_once(timeout_sec=0.1)
    begun, before = time.process_time(), received[0]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        executor.spin_once(timeout_sec=0.1)
    print((time.process_time() - begun) / seconds, (received[0] - before) / seconds, len(kept))


def publish(children: list[subprocess.Popen]) -> None:
    """Send what a rig sends until the subscribers are done."""
    rclpy.init()
    node = Node("publisher")
    sound = AudioPublisher(
        node, audio_format=AudioFormat(sample_rate=44100, channels=4, bits=16), frame="tray"
    )
    poses = [publisher(node, topic) for topic in (topics.TRAY_POSE, topics.TRAY_REFERENCE)]
    joints = publisher(node, topics.TRAY_JOINTS)
    samples = np.zeros((441, 4), np.int16)
    begun, sent = time.monotonic(), 0
    while any(child.poll() is None for child in children):
        sound.publish(
            AudioBlock(stamp_ns=time.time_ns(), first_sample=sent * 441, samples=samples, xruns=0)
        )
        for pose in poses:
            pose.publish(PoseStamped())
        joints.publish(JointState(name=["x", "y"], position=[0.0, 0.0]))
        sent += 1
        time.sleep(max(0.0, begun + sent * 0.01 - time.monotonic()))


def _row(value: dict[str, float], best: float) -> str:
    cpu = value["cpu_percent"]
    ratio = cpu / best
    return f"{cpu:.1f} % of a core ({ratio:.1f} x), {value['messages_per_s']:.0f} messages/s"


def main() -> None:
    """Compare the executors one after another in one run."""
    if len(sys.argv) > 2 and sys.argv[1] == "--subscriber":
        subscriber(sys.argv[2], float(sys.argv[3]))
        return
    arguments = options(__doc__ or "")
    seconds = 3.0 if arguments.quick else 10.0
    os.environ.update(graph_environment())
    os.environ.setdefault("ROS_DOMAIN_ID", "92")
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.executors", "--subscriber", kind, str(seconds)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for kind, executor in KINDS.items()
        if executor is not None
    ]
    publish(children)
    figures = {}
    for kind, child in zip(KINDS, children, strict=False):
        cpu, rate, _ = child.communicate()[0].split()
        figures[kind] = {"cpu_percent": float(cpu) * 100.0, "messages_per_s": float(rate)}
    best = figures["events"]["cpu_percent"] if "events" in figures else float("nan")
    tell(
        "executors at 400 messages a second",
        [(kind, _row(value, best), "") for kind, value in figures.items()],
        figures=figures,
        file=arguments.json,
    )


if __name__ == "__main__":
    main()
