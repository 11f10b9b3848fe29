"""A Gen3's steps at 10 Hz, through gate, kinematics, trajectories and DDS, and back.

The controllers of ros2_kortex are emulated (docs/kinova.md), in a process of its own. A
round trip begins with a command to the guarded arm and ends when the answer is here that the
controller has taken the trajectory. A cycle is missed when no trajectory comes within it.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gc
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState

from benchmarks.report import options, spread_ms, spread_words, tell
from tests.emulators.kortex.process import KortexProcess
from tiltbot_ros.arms.commands import Command
from tiltbot_ros.arms.guard import GuardedArm, GuardSettings, rig_limits
from tiltbot_ros.arms.kinova.driver import KinovaArm
from tiltbot_ros.arms.kinova.settings import KinovaSettings
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.pose_by_joints import PoseByJoints, tool_model
from tiltbot_ros.arms.poses import pose_vector
from tiltbot_ros.arms.tool_settings import ToolSettings
from tiltbot_ros.errors import DeviceError
from tiltbot_ros.nodes.kortex_link import RosKortexLink

RATE_HZ = 10.0
STEP_M = 0.004
PATIENCE_S = 0.09
STARTS_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What was measured.

    Attributes:
        round_trips_s: (n,) from a command to the answer that its trajectory was taken [s].
        arrivals_s: (m,) when trajectories came to the controller [s].
        late_s: (k,) how late each cycle began [s].
        tick_s: (k,) processor time of command, kinematics and hand-over [s].
        unanswered: commands without an answer within PATIENCE_S.
        refused: trajectories that the controller refused.
        interruptions: stops of the arm because a trajectory came too late.
        faults: of the robot or of the connection.
        connected_s: to connect [s].
    """

    round_trips_s: np.ndarray
    arrivals_s: np.ndarray
    late_s: np.ndarray
    tick_s: np.ndarray
    unanswered: int
    refused: int
    interruptions: int
    faults: int
    connected_s: float

    @property
    def missed(self) -> int:
        """How many cycles the controller had no new trajectory in."""
        gaps = np.diff(self.arrivals_s) * RATE_HZ
        return int(np.maximum(np.round(gaps) - 1, 0).sum())


class Answered(RosKortexLink):
    """The link, which also hears when the stand-in has taken a trajectory."""

    def open(self, *, timeout_s: float) -> None:
        """Connect, and listen for answers."""
        self.taken_s = 0.0
        super().open(timeout_s=timeout_s)
        self._node.create_subscription(
            JointState, "stand_in/taken", self._taken, QoSProfile(depth=10)
        )

    def _taken(self, _: Any) -> None:
        self.taken_s = time.monotonic()


def measure(process: KortexProcess, seconds: float) -> Run:
    """Lead the tool to and fro in steps of a policy."""
    limits, settings = load_limits("gen3"), GuardSettings(speed_ratio=0.5, deadman_s=0.25)
    tool, link = ToolSettings(), Answered(KinovaSettings(start_s=STARTS_S))
    arm = KinovaArm(KinovaSettings(start_s=STARTS_S), link, rate_hz=RATE_HZ)
    posed = PoseByJoints(
        arm,
        tool_model(tool, robot="gen3", joints=arm.joint_names),
        rig_limits(limits, settings, "joint"),
        tool,
    )
    guarded = GuardedArm(
        posed, limits, settings, space="pose", measured=lambda state: pose_vector(state.tool)
    )
    begun_s = time.monotonic()
    guarded.connect()
    connected_s = time.monotonic() - begun_s
    guarded.take("bench", time.monotonic())
    target = guarded.stream.reference.position.copy()
    trips, late, ticks, unanswered, faults = [], [], [], 0, 0
    gc.freeze()
    due_s = time.monotonic()
    for number in range(round(seconds * RATE_HZ)):
        due_s += 1.0 / RATE_HZ
        time.sleep(max(0.0, due_s - time.monotonic()))
        now_s, used_s = time.monotonic(), time.thread_time()
        late.append(now_s - due_s)
        due_s = max(due_s, now_s - 1.0 / RATE_HZ)
        # A wave, so that every step is a new trajectory.
        target[0] += STEP_M * np.cos(0.3 * number)
        guarded.offer(
            Command(commander="bench", sequence=number, stamp_ns=time.time_ns(), position=target),
            now_s=now_s,
            now_ns=time.time_ns(),
        )
        try:
            guarded.tick(now_s)
        except DeviceError:
            faults += 1
            time.sleep(0.5)
            guarded.recover()
            guarded.take("bench", time.monotonic())
            target = guarded.stream.reference.position.copy()
        ticks.append(time.thread_time() - used_s)
        while link.taken_s < now_s and time.monotonic() - now_s < PATIENCE_S:
            time.sleep(2e-4)
        if link.taken_s >= now_s:
            trips.append(link.taken_s - now_s)
        else:
            unanswered += 1
    interruptions = guarded.state.interruptions
    told = process.tell()
    guarded.close()
    return Run(
        round_trips_s=np.array(trips),
        arrivals_s=np.array(told["arrivals"]),
        late_s=np.array(late),
        tick_s=np.array(ticks),
        unanswered=unanswered,
        refused=len(told["refused"]),
        interruptions=interruptions,
        faults=faults + bool(told["fault"]),
        connected_s=connected_s,
    )


def main() -> None:
    """Print the table."""
    chosen = options(__doc__ or "")
    seconds = chosen.seconds or (10.0 if chosen.quick else 600.0)
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", "83")
    with KortexProcess(rate_hz=100.0) as process:
        run = measure(process, seconds)
    load, jitter = os.getloadavg()[0], np.abs(np.diff(run.arrivals_s) - 1.0 / RATE_HZ)
    rows = [
        ("length", f"{seconds:g} s, load of the machine {load:.1f}", "600 s"),
        ("connected after", f"{run.connected_s:.1f} s", ""),
        ("round trip p50 / p99 / max", spread_words(run.round_trips_s), ""),
        ("jitter at the controller p50 / p99 / max", spread_words(jitter), ""),
        ("cycles late p50 / p99 / max", spread_words(run.late_s), ""),
        (
            f"missed cycles of {len(run.late_s)}",
            f"{run.missed} ({run.unanswered} unanswered, {run.refused} refused)",
            "0",
        ),
        ("stops, faults", f"{run.interruptions}, {run.faults}", "0, 0"),
        ("command, kinematics, hand-over", f"{1e3 * np.median(run.tick_s):.1f} ms a cycle", ""),
    ]
    figures = {
        "seconds": seconds,
        "load": load,
        "cycles": len(run.late_s),
        "missed": run.missed,
        "unanswered": run.unanswered,
        "refused": run.refused,
        "interruptions": run.interruptions,
        "faults": run.faults,
        "connected_s": run.connected_s,
        "tick_ms": 1e3 * float(np.median(run.tick_s)),
        **{f"round_trip_{key}_ms": value for key, value in spread_ms(run.round_trips_s).items()},
        **{f"jitter_{key}_ms": value for key, value in spread_ms(jitter).items()},
    }
    tell("Kinova", rows, figures=figures, file=chosen.json)


if __name__ == "__main__":
    main()
