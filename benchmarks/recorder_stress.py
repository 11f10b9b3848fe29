"""The recorder beside a fast camera: 1280 x 720 colour at 30 Hz and the sound, for 60 s.

One process publishes, the recorder node records, and at the end what was sent
is compared with what the recorder counts as received.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import rclpy
from rclpy.node import Node

from benchmarks.report import options, tell
from tiltbot.msg import Contact, RecorderStatus
from tiltbot_ros import topics
from tiltbot_ros.bringup import NodeSpec
from tiltbot_ros.nodes.audio_publisher import AudioPublisher
from tiltbot_ros.nodes.camera_publisher import CameraPublisher
from tiltbot_ros.nodes.running import make_executor
from tiltbot_ros.nodes.wiring import publisher, stamp, subscription
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat
from tiltbot_ros.sensors.cameras import CameraIntrinsics, CameraSettings, RgbdFrame
from tiltbot_ros.supervisor import Supervisor, graph_environment

WIDTH, HEIGHT, IMAGE_HZ, BLOCK, RATE = 1280, 720, 30, 441, 44100
CONTACT_PERIOD_S = 5.0


def send(seconds: float) -> None:
    """Publish sound, images and a contact every few seconds; print what was sent."""
    rclpy.init()
    node = Node("stress")
    sound = AudioPublisher(
        node, audio_format=AudioFormat(sample_rate=RATE, channels=4, bits=16), frame="tray"
    )
    camera = CameraPublisher(node, settings=CameraSettings(frame_id="camera"))
    contacts = publisher(node, topics.CONTACT)
    color = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    intrinsics = CameraIntrinsics(width=WIDTH, height=HEIGHT, k=np.eye(3), distortion=np.zeros(5))
    samples = np.zeros((BLOCK, 4), np.int16)
    blocks = images = 0
    while not all(node.count_subscribers(topic.name) for topic in (topics.AUDIO, topics.COLOR)):
        time.sleep(0.1)
    time.sleep(1.0)
    begun_ns, begun = time.time_ns(), time.monotonic()
    next_contact = begun + 4.0
    while (now := time.monotonic()) < begun + seconds:
        stamp_ns = begun_ns + blocks * BLOCK * 1_000_000_000 // RATE
        sound.publish(
            AudioBlock(stamp_ns=stamp_ns, first_sample=blocks * BLOCK, samples=samples, xruns=0)
        )
        blocks += 1
        if now - begun >= images / IMAGE_HZ:
            camera.publish(
                RgbdFrame(stamp_ns=time.time_ns(), color=color, depth=None, intrinsics=intrinsics)
            )
            images += 1
        if now >= next_contact:
            next_contact += CONTACT_PERIOD_S
            message = Contact(sample=blocks * BLOCK, level=0.5, threshold=0.1)
            message.header.stamp = stamp(stamp_ns)
            contacts.publish(message)
        time.sleep(max(0.0, begun + blocks * BLOCK / RATE - time.monotonic()))
    time.sleep(4.0)
    print(blocks, images)


def main() -> None:
    """Run both, compare, print."""
    if len(sys.argv) > 2 and sys.argv[1] == "--send":
        send(float(sys.argv[2]))
        return
    arguments = options(__doc__ or "")
    seconds = 12.0 if arguments.quick else 60.0
    os.environ.update(graph_environment())
    os.environ.setdefault("ROS_DOMAIN_ID", "93")
    folder = Path(tempfile.mkdtemp(prefix="tiltbot-stress-"))
    spec = NodeSpec(
        executable="recorder_node",
        name="recorder",
        parameters={
            "session.directory": str(folder / "data"),
            "session.audio_hz": RATE / BLOCK,
            "session.camera_hz": 0.0,
            "session.tray_hz": 0.0,
            "session.extra_topics": [f"{topics.COLOR.name}:{topics.COLOR.type}"],
        },
    )
    supervisor = Supervisor([spec], log_directory=folder / "logs")
    supervisor.start()
    rclpy.init()
    node = Node("observer")
    statuses: list[RecorderStatus] = []
    kept = subscription(node, topics.RECORDER_STATUS, statuses.append)
    executor = make_executor()
    executor.add_node(node)
    sender = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.recorder_stress", "--send", str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
    )
    process = psutil.Process(supervisor.pids()["recorder"])
    try:
        while sender.poll() is None:
            executor.spin_once(timeout_sec=0.2)
        cpu = sum(process.cpu_times()[:2]) / seconds * 100.0
        memory = process.memory_info().rss
    finally:
        supervisor.stop()
        node.destroy_subscription(kept)
        rclpy.try_shutdown()
        shutil.rmtree(folder)
    blocks, images = (int(word) for word in sender.communicate()[0].split())
    received = {rate.topic.strip("/"): rate for rate in statuses[-1].topics}
    sound, color = received[topics.AUDIO.name], received[topics.COLOR.name]
    drops = {f"{drop.cause} {drop.topic}".strip(): drop.count for drop in statuses[-1].drops}
    figures = {
        "seconds": seconds,
        "blocks_sent": blocks,
        "blocks_received": sound.received,
        "images_sent": images,
        "images_received": color.received,
        "lost": sum(rate.lost for rate in statuses[-1].topics),
        "episodes": statuses[-1].clean + statuses[-1].flagged,
        "drops": drops,
        "cpu_percent": cpu,
        "memory_mb": memory / 1e6,
    }
    tell(
        f"recorder beside {WIDTH} x {HEIGHT} at {IMAGE_HZ} Hz, {seconds:g} s",
        [
            ("images received / sent", f"{color.received} / {images}", "all"),
            ("blocks received / sent", f"{sound.received} / {blocks}", "all"),
            ("lost in transport", str(figures["lost"]), "0"),
            ("episodes written", str(figures["episodes"]), ""),
            ("recorder [% of a core]", f"{cpu:.0f}", ""),
            ("recorder memory [MB]", f"{figures['memory_mb']:.0f}", ""),
        ],
        figures=figures,
        file=arguments.json,
    )


if __name__ == "__main__":
    main()
