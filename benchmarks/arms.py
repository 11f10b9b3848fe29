"""The way of a command to each arm's stand-in and back, at the arm's rate: jitter and delay.

Sawyer: node -> side process -> SDK -> robot, each a process of its own; the SDK is an
emulated one, and with INTERA_SDK set also Rethink's (docs/sawyer.md). The round trip
ends with the acknowledgement that the SDK has taken the command.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gc
import multiprocessing
import select
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from benchmarks.report import options, tell
from tests.emulators.sawyer import ros1
from tests.emulators.sawyer.bus import SDK, RobotOnABus
from tiltbot_ros.arms.commands import Command
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.sawyer.process import SideProcess
from tiltbot_ros.arms.sawyer.ros1.sawyer_side import wire
from tiltbot_ros.arms.sawyer.settings import SawyerSettings
from tiltbot_ros.arms.stream import Stream, StreamSettings

SAWYER_HZ = 100.0
TARGET_MS = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """What was measured of one arm.

    Attributes:
        round_trips_s: (n,) from sending a reference to the answer [s].
        arrivals_s: (m,) when the robot got them [s].
        rate_hz: asked for [Hz].
        unanswered: references without an answer within half a second.
        connected_s: from the start of the side process to the robot's first state [s].
    """

    round_trips_s: np.ndarray
    arrivals_s: np.ndarray
    rate_hz: float
    unanswered: int
    connected_s: float

    @property
    def gaps_s(self) -> np.ndarray:
        """Time from one command to the next, as the robot gets them [s]."""
        return np.diff(self.arrivals_s)

    @property
    def missed(self) -> int:
        """How many cycles the robot had no new command in."""
        return int(np.maximum(np.round(self.gaps_s * self.rate_hz) - 1, 0).sum())


def _robot(folder: str, talk: Connection) -> None:
    with RobotOnABus(Path(folder)) as bus:
        talk.send(str(bus.path))
        talk.recv()
        talk.send([when for when, _ in bus.robot.commands])


@contextmanager
def robot() -> Iterator[tuple[str, Connection]]:
    """Run the emulated robot in a process of its own."""
    here, there = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = multiprocessing.get_context("spawn").Process(target=_robot, args=(folder, there))
        process.start()
        try:
            yield here.recv(), here
        finally:
            process.join(5)


def _answer(side: SideProcess, number: int, deadline_s: float) -> bool:
    """Wait for the acknowledgement of a reference."""
    while (left := deadline_s - time.monotonic()) > 0:
        if select.select([side.connection], [], [], left)[0]:
            fields = wire.receive(side.connection)
            if fields is not None and fields["kind"] == "ack" and fields["n"] == number:
                return True
    return False


@contextmanager
def rethinks_sdk(path: str) -> Iterator[SawyerSettings]:
    """Put Rethink's SDK and a ROS 1 node in front of the emulated robot."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "messages").mkdir()
        ros1.make_messages(folder / "messages")
        with ros1.master(folder) as uri:
            settings = ros1.sdk_settings(folder / "messages", uri)
            with ros1.ros1_robot(settings, Path(path), folder / "robot.log"):
                time.sleep(3.0)
                yield settings


@contextmanager
def emulated_sdk(path: str) -> Iterator[SawyerSettings]:
    """Put the emulated SDK in front of the emulated robot."""
    os.environ["EMULATED_SAWYER"] = path
    yield SawyerSettings(python=sys.executable, pythonpath=[str(SDK)])


def sawyer(seconds: float, sdk: Callable[[str], AbstractContextManager[SawyerSettings]]) -> Way:
    """Send references at 100 Hz and wait for each to be taken."""
    period_s = 1.0 / SAWYER_HZ
    with robot() as (path, talk), sdk(path) as settings:
        begun_s = time.monotonic()
        side = SideProcess(settings)
        while True:
            select.select([side.connection], [], [], 30.0)
            fields = wire.receive(side.connection)
            if fields is not None and fields["kind"] == "state":
                break
        connected_s = time.monotonic() - begun_s
        q = fields["q"]
        trips, unanswered = [], 0
        gc.freeze()
        due_s = time.monotonic()
        for number in range(round(seconds * SAWYER_HZ)):
            due_s += period_s
            time.sleep(max(0.0, due_s - time.monotonic()))
            sent_s = time.monotonic()
            packet = wire.pack("reference", n=number, sent_s=sent_s, q=q, dq=[0.0] * 7)
            wire.send(side.connection, packet)
            if _answer(side, number, sent_s + 50 * period_s):
                trips.append(time.monotonic() - sent_s)
            else:
                unanswered += 1
        side.close()
        talk.send(None)
        arrivals = np.array(talk.recv())
    return Way(
        round_trips_s=np.array(trips),
        # The last one is the command to hold, at the end.
        arrivals_s=arrivals[:-1],
        rate_hz=SAWYER_HZ,
        unanswered=unanswered,
        connected_s=connected_s,
    )


def tick_us(count: int) -> float:
    """Return the processor time of one command and one tick of a stream [us]."""
    limits = load_limits("sawyer").joints.reduced(speed=0.5, margin=0.05)
    stream = Stream(limits, StreamSettings(), space="joint", rate_hz=SAWYER_HZ)
    stream.place(np.zeros(7))
    stream.take("bench", 0.0)
    still = np.zeros(7)
    begun = time.process_time()
    for number in range(count):
        now_s = number / SAWYER_HZ
        now_ns = round(now_s * 1e9)
        command = Command(
            commander="bench", sequence=number, stamp_ns=now_ns, position=still, velocity=still
        )
        stream.offer(command, now_s=now_s, now_ns=now_ns)
        stream.tick(now_s)
    return 1e6 * (time.process_time() - begun) / count


def _rows(name: str, way: Way) -> list[tuple[str, str, str]]:
    trip = 1e3 * np.percentile(way.round_trips_s, [50, 99, 100])
    gap = 1e3 * np.percentile(np.abs(way.gaps_s - 1.0 / way.rate_hz), [50, 99, 100])
    return [
        (
            f"{name}: round trip p50 / p99 / max",
            " / ".join(f"{value:.2f}" for value in trip) + " ms",
            f"p99 <= {TARGET_MS:g} ms",
        ),
        (
            f"{name}: jitter at the robot p50 / p99 / max",
            " / ".join(f"{value:.2f}" for value in gap) + " ms",
            "",
        ),
        (f"{name}: connected after", f"{way.connected_s:.1f} s", ""),
        (
            f"{name}: missed cycles of {len(way.arrivals_s)}",
            f"{way.missed} ({way.unanswered} unanswered)",
            "",
        ),
    ]


def _figures(way: Way) -> Mapping[str, float]:
    trip = 1e3 * np.percentile(way.round_trips_s, [50, 99, 100])
    gap = 1e3 * np.percentile(np.abs(way.gaps_s - 1.0 / way.rate_hz), [50, 99, 100])
    names = ("p50", "p99", "max")
    return {
        "connected_s": way.connected_s,
        "cycles": len(way.arrivals_s),
        "missed": way.missed,
        "unanswered": way.unanswered,
        **{f"round_trip_{name}_ms": float(v) for name, v in zip(names, trip, strict=True)},
        **{f"jitter_{name}_ms": float(v) for name, v in zip(names, gap, strict=True)},
    }


def main() -> None:
    """Print the table."""
    chosen = options(__doc__ or "")
    seconds = 10.0 if chosen.quick else 600.0
    cost = tick_us(2_000 if chosen.quick else 50_000)
    ways = {"Sawyer, emulated SDK": sawyer(seconds, emulated_sdk)}
    if ros1.INTERA_SDK:
        ways["Sawyer, Rethink's SDK"] = sawyer(seconds, rethinks_sdk)
    load = os.getloadavg()[0]
    rows = [
        ("length", f"{seconds:g} s, load of the machine {load:.1f}", "600 s"),
        *(row for name, way in ways.items() for row in _rows(name, way)),
        ("gate, deadman and governor, 7 joints", f"{cost:.0f} us a tick", ""),
    ]
    figures = {
        "seconds": seconds,
        "load": load,
        "tick_us": cost,
        **{name: _figures(way) for name, way in ways.items()},
    }
    tell("Arms", rows, figures=figures, file=chosen.json)


if __name__ == "__main__":
    main()
