"""Goals to an inverse server while the simulated rig collects: time to the result, episodes lost.

Untrained models of the default size, exported to ONNX; three servers and the
live evaluation run beside five minutes of collecting (`--quick`: 40 s). A
client sends a goal a second, in turn as one block of four seconds with the
picture, as the 400 blocks of the rig with the picture, and as the URI of the
newest episode. Before that, the same goals without a collection.

The recorder keeps two compressed images an episode, and messages go through
the shared memory of config/fastdds.xml; FASTRTPS_DEFAULT_PROFILES_FILE set to
another file, or to nothing, takes that instead.
"""

import gc
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import rclpy
from rclpy.action import ActionClient
from sensor_msgs.msg import Image

from benchmarks.live import Observer
from benchmarks.report import options, tell
from policy_ros.models.checkpoint import save_checkpoint
from policy_ros.models.contract import Origin
from policy_ros.models.settings import ModelSettings, Shapes
from policy_ros.models.zoo import build_model
from policy_ros.serving.export import export
from policy_ros.signals.settings import FrontEndSettings
from tiltbot.action import CollectObject, InverseModel
from tiltbot.msg import ContactAudio, Evaluation
from tiltbot_ros import topics
from tiltbot_ros.bringup import collect_graph, serve_graph
from tiltbot_ros.nodes.running import make_executor
from tiltbot_ros.nodes.wiring import subscription
from tiltbot_ros.rigs import load_rig
from tiltbot_ros.serving import ServingSettings
from tiltbot_ros.share import share_directory
from tiltbot_ros.supervisor import Supervisor, graph_environment
from tiltbot_ros.worlds.objects import ObjectCatalogue

RATE = 44_100
BLOCK = 441
WAYS = ("one block", "400 blocks", "episode")


def write_models(folder: Path) -> dict[str, Path]:
    """Write and export untrained models; return their folders by role."""
    rig = load_rig("sim")
    classes = ObjectCatalogue.load().names
    found = {}
    for name in ("multitask", "forward_audio"):
        model = build_model(name, ModelSettings(), Shapes(classes=len(classes)), seed=0).eval()
        save_checkpoint(
            folder / name,
            model,
            classes=classes,
            microphones=(0, 1, 2, 3),
            front_end=FrontEndSettings(),
            seconds=4.0,
            picture_size=128,
            max_tilt_rad=rig.tilt.max_tilt_rad,
            half_side_m=rig.tracker.tray_size_m / 2,
            origin=Origin(recipe="untrained"),
        )
        export(folder / name)
        found[name] = folder / name
    return {
        "inverse": found["multitask"],
        "classify": found["multitask"],
        "forward": found["forward_audio"],
    }


def audio(samples: np.ndarray, first: int) -> ContactAudio:
    """Return a block."""
    message = ContactAudio(sample_rate=RATE, channels=4, bits=16, first_sample=first)
    message.data16.frombytes(samples.tobytes())
    return message


def goals() -> dict[str, InverseModel.Goal]:
    """Return a goal with made-up sound and picture for the two ways of sending them."""
    rng = np.random.default_rng(0)
    samples = rng.normal(0.0, 300.0, (4 * RATE, 4)).astype(np.int16)
    samples[2 * RATE : 2 * RATE + 2000] *= 20
    picture = Image(height=480, width=640, step=1920, encoding="rgb8")
    picture.data.frombytes(rng.integers(0, 255, 480 * 1920).astype(np.uint8).tobytes())
    cuts = range(0, len(samples), BLOCK)
    return {
        "one block": InverseModel.Goal(before=picture, audio=[audio(samples, 0)]),
        "400 blocks": InverseModel.Goal(
            before=picture, audio=[audio(samples[at : at + BLOCK], at) for at in cuts]
        ),
    }


class Asker:
    """Sends goals and measures how long their results take."""

    def __init__(self, observer: Observer, executor) -> None:  # noqa: ANN001
        self._executor = executor
        self._observer = observer
        self._goals = goals()
        self.client = ActionClient(observer, InverseModel, "inverse_model")
        self.times_s: dict[str, list[float]] = {way: [] for way in WAYS}
        self.inside_s: dict[str, list[float]] = {way: [] for way in WAYS}
        self.refused: list[str] = []

    def ask(self, way: str) -> None:
        """Send one goal and wait for its result."""
        if way == "episode":
            if not self._observer.episodes:
                return
            goal = InverseModel.Goal(episode_uri=self._observer.episodes[-1].uri)
        else:
            goal = self._goals[way]
        begun = time.monotonic()
        handle = self._wait(self.client.send_goal_async(goal))
        result = self._wait(handle.get_result_async()).result
        took = time.monotonic() - begun
        if result.success:
            self.times_s[way].append(took)
            self.inside_s[way].append(result.latency_s)
        else:
            self.refused.append(result.reason)

    def _wait(self, future):  # noqa: ANN001, ANN202
        while not future.done():
            self._executor.spin_once(timeout_sec=0.1)
        return future.result()

    def figures(self) -> dict[str, dict[str, float]]:
        """Return percentiles by way [ms], and forget."""
        told = {}
        for way in WAYS:
            times, inside = (1e3 * np.array(v[way]) for v in (self.times_s, self.inside_s))
            if len(times):
                told[way] = {
                    "goals": len(times),
                    "p50_ms": float(np.percentile(times, 50)),
                    "p99_ms": float(np.percentile(times, 99)),
                    "max_ms": float(times.max()),
                    "inside_p50_ms": float(np.percentile(inside, 50)),
                }
            self.times_s[way].clear()
            self.inside_s[way].clear()
        return told


def main() -> None:
    """Serve, collect, ask, print the table."""
    arguments = options(__doc__ or "")
    minutes = 0.7 if arguments.quick else 5.0
    os.environ.update(graph_environment())
    os.environ.setdefault("ROS_DOMAIN_ID", "93")
    folder = Path(tempfile.mkdtemp(prefix="tiltbot-serving-"))
    profile = str(share_directory() / "config" / "fastdds.xml")
    os.environ.setdefault("FASTRTPS_DEFAULT_PROFILES_FILE", profile)
    sim = load_rig("sim")
    kept = {"images": "compressed", "moments": "before_after"}
    rig = sim.model_copy(update={"recorder": sim.recorder.model_copy(update=kept)})
    serving = serve_graph(
        rig, checkpoints=write_models(folder), settings=ServingSettings(backend="onnx")
    )
    collecting = collect_graph(rig, out=folder / "data")
    graphs = [Supervisor(specs, log_directory=folder / "logs") for specs in (serving, collecting)]
    graphs[0].start()
    rclpy.init()
    observer = Observer()
    executor = make_executor()
    executor.add_node(observer)
    evaluations: list[Evaluation] = []
    listening = subscription(observer, topics.EVALUATION, evaluations.append)
    try:
        figures = _measure(observer, executor, graphs, minutes, arguments.quick)
    finally:
        for graph in graphs:
            graph.stop()
        rclpy.try_shutdown()
        shutil.rmtree(folder)
    del listening
    figures["evaluations"] = len(evaluations)
    figures["evaluation_p50_ms"] = float(
        np.median([1e3 * message.latency_s for message in evaluations] or [np.nan])
    )
    _tell(figures, minutes, arguments.json)


def _measure(observer, executor, graphs, minutes, quick) -> dict:  # noqa: ANN001
    asker = Asker(observer, executor)
    while not asker.client.server_is_ready():
        executor.spin_once(timeout_sec=0.1)
    gc.collect()
    gc.freeze()
    for _ in range(5):
        asker.ask("one block")
    asker.figures()
    for index in range(20 if quick else 100):
        asker.ask(WAYS[index % 2])
    alone = asker.figures()
    graphs[1].start()
    while not observer.client.server_is_ready():
        executor.spin_once(timeout_sec=0.1)
    goal = CollectObject.Goal(object="005_tomato_soup_can", minutes=minutes)
    sent = observer.client.send_goal_async(goal)
    while not sent.done():
        executor.spin_once(timeout_sec=0.1)
    outcome = sent.result().get_result_async()
    count, due = 0, time.monotonic() + 10.0
    while not outcome.done():
        executor.spin_once(timeout_sec=0.02)
        if time.monotonic() >= due and not outcome.done():
            asker.ask(WAYS[count % len(WAYS)])
            count, due = count + 1, due + 1.0
    result = outcome.result().result
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        executor.spin_once(timeout_sec=0.1)
    # Contacts within the window of another are no loss: they are in its episode.
    drops = {
        f"{d.cause} {d.topic}": d.count for d in observer.status.drops if d.cause != "suppressed"
    }
    return {
        "alone": alone,
        "collecting": asker.figures(),
        "refused": asker.refused,
        "episodes": len(observer.episodes),
        "clean": sum(episode.clean for episode in observer.episodes),
        "problems": [list(e.problems) for e in observer.episodes if not e.clean],
        "drops": drops,
        "lost": sum(rate.lost for rate in observer.status.topics),
        "holes": observer.holes,
        "tilts": result.tilts,
        "reason": result.reason,
        "load": os.getloadavg()[1],
        "profile": os.environ["FASTRTPS_DEFAULT_PROFILES_FILE"],
    }


def _tell(figures: dict, minutes: float, file: Path | None) -> None:
    rows = []
    for when in ("alone", "collecting"):
        for way, told in figures[when].items():
            target = "p50 <= 20, p99 <= 60" if when == "collecting" else ""
            rows.append(
                (
                    f"{when}: {way}, p50 / p99 / in the server p50 [ms]",
                    f"{told['p50_ms']:.1f} / {told['p99_ms']:.1f} / {told['inside_p50_ms']:.1f}",
                    target,
                )
            )
    rows += [
        ("episodes lost", str(sum(figures["drops"].values())), "0"),
        ("episodes clean / all", f"{figures['clean']} / {figures['episodes']}", "all"),
        ("messages lost, holes in the sound", f"{figures['lost']}, {figures['holes']}", "0, 0"),
        ("goals refused", str(len(figures["refused"])), "0"),
        (
            "episodes judged live, p50 after they are on disk [ms]",
            f"{figures['evaluations']}, {figures['evaluation_p50_ms']:.0f}",
            "all",
        ),
        ("load of the machine (5 min)", f"{figures['load']:.1f}", ""),
    ]
    tell(f"serving beside {minutes:g} minutes of collecting", rows, figures=figures, file=file)


if __name__ == "__main__":
    main()
