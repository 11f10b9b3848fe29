"""The simulated rig live at the paper's rates: what is lost, how late, at which cost.

Ten minutes of collecting with 4 x 44.1 kHz sound, 640 x 480 colour and depth at
6 Hz and the tray at 100 Hz (`--quick`: 40 s), measured from outside by one more
subscriber.
"""

import gc
import os
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import rclpy
from rclpy.action import ActionClient
from rclpy.node import Node

from benchmarks.report import options, tell
from tiltbot.action import CollectObject
from tiltbot.msg import Episode, RecorderStatus
from tiltbot_ros import topics
from tiltbot_ros.bringup import collect_graph
from tiltbot_ros.episodes.cdr import read_audio
from tiltbot_ros.nodes.running import make_executor
from tiltbot_ros.nodes.wiring import subscription
from tiltbot_ros.rigs import load_rig
from tiltbot_ros.supervisor import Supervisor, graph_environment

WATCHED = ("contacts", "recorder")


class Observer(Node):
    """Listens to the sound and to the recorder."""

    def __init__(self) -> None:
        super().__init__("observer")
        self.latencies_s: list[float] = []
        self.expected: int | None = None
        self.holes = 0
        self.lost = 0
        self.episodes: list[Episode] = []
        self.status: RecorderStatus | None = None
        self.client = ActionClient(self, CollectObject, "collect")
        self.kept = [
            subscription(self, topics.AUDIO, self._on_audio, raw=True, lost=self._on_lost),
            subscription(self, topics.EPISODE, self.episodes.append),
            subscription(self, topics.RECORDER_STATUS, self._on_status),
        ]

    def _on_audio(self, data: bytes) -> None:
        now_ns = time.time_ns()
        message = read_audio(data)
        block = message.block
        end_ns = block.stamp_ns + len(block.samples) * 1_000_000_000 // message.format.sample_rate
        self.latencies_s.append((now_ns - end_ns) * 1e-9)
        if self.expected is not None and block.first_sample != self.expected:
            self.holes += 1
        self.expected = block.first_sample + len(block.samples)

    def _on_lost(self, count: int) -> None:
        self.lost += count

    def _on_status(self, status: RecorderStatus) -> None:
        self.status = status


def main() -> None:
    """Run the graph, watch it, print the table."""
    arguments = options(__doc__ or "")
    minutes = 0.6 if arguments.quick else 10.0
    os.environ.update(graph_environment())
    os.environ.setdefault("ROS_DOMAIN_ID", "91")
    folder = Path(tempfile.mkdtemp(prefix="tiltbot-live-"))
    supervisor = Supervisor(
        collect_graph(load_rig("sim"), out=folder), log_directory=folder / "logs"
    )
    supervisor.start()
    rclpy.init()
    observer = Observer()
    executor = make_executor()
    executor.add_node(observer)
    try:
        figures = _observe(observer, executor, supervisor, minutes)
    finally:
        supervisor.stop()
        rclpy.try_shutdown()
        shutil.rmtree(folder)
    tell(
        f"live, simulated rig, {minutes:g} minutes",
        [
            ("messages lost", str(figures["lost"]), "0"),
            ("audio holes", str(figures["holes"]), "0"),
            ("episodes clean / all", f"{figures['clean']} / {figures['episodes']}", "all"),
            ("recorder + contacts [% of a core]", f"{figures['cpu_watched']:.1f}", "< 25"),
            ("audio, end of block to subscriber, p50 [ms]", f"{figures['p50_ms']:.2f}", ""),
            ("audio, end of block to subscriber, p99 [ms]", f"{figures['p99_ms']:.2f}", "<= 5"),
            *[(f"{name} [% of a core]", f"{cpu:.1f}", "") for name, cpu in figures["cpu"].items()],
        ],
        figures=figures,
        file=arguments.json,
    )


def _observe(observer: Observer, executor, supervisor: Supervisor, minutes: float) -> dict:  # noqa: ANN001
    while not observer.client.server_is_ready():
        executor.spin_once(timeout_sec=0.1)
    goal = CollectObject.Goal(object="005_tomato_soup_can", minutes=minutes)
    sent = observer.client.send_goal_async(goal)
    while not sent.done():
        executor.spin_once(timeout_sec=0.1)
    outcome = sent.result().get_result_async()
    processes = {name: psutil.Process(pid) for name, pid in supervisor.pids().items()}
    begun: tuple[float, dict[str, float]] | None = None
    gc.collect()
    gc.freeze()
    started = time.monotonic()
    while not outcome.done():
        executor.spin_once(timeout_sec=0.1)
        if begun is None and time.monotonic() - started > 10.0:
            # From here on the graph is warm.
            observer.latencies_s.clear()
            begun = time.monotonic(), {n: sum(p.cpu_times()[:2]) for n, p in processes.items()}
    elapsed = time.monotonic() - begun[0]
    cpu = {
        name: (sum(process.cpu_times()[:2]) - begun[1][name]) / elapsed * 100.0
        for name, process in processes.items()
    }
    late = np.array(observer.latencies_s) * 1e3
    drops = Counter({f"{d.cause} {d.topic}": d.count for d in observer.status.drops})
    lost = sum(rate.lost for rate in observer.status.topics) + observer.lost
    return {
        "seconds": elapsed,
        "lost": lost,
        "holes": observer.holes,
        "clean": sum(episode.clean for episode in observer.episodes),
        "episodes": len(observer.episodes),
        "problems": [list(e.problems) for e in observer.episodes if not e.clean],
        "reason": outcome.result().result.reason,
        "drops": dict(drops),
        "cpu": cpu,
        "cpu_watched": sum(cpu[name] for name in WATCHED),
        "p50_ms": float(np.percentile(late, 50)),
        "p99_ms": float(np.percentile(late, 99)),
        "max_ms": float(late.max()),
    }


if __name__ == "__main__":
    main()
