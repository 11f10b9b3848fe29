"""A Franka's references at 30 Hz, through gate, limits, franky and the FCI, and back.

The controller is emulated (docs/franka.md), in a process of its own and as strict as the
robot: a torque that comes later than a millisecond is lost. A round trip begins with a
command to the guarded arm and ends when the robot's state shows that a torque with it has
arrived there.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gc
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.report import options, spread_ms, spread_words, tell
from tests.emulators.fci.process import Emulator
from tiltbot_ros.arms.commands import Command
from tiltbot_ros.arms.franka.driver import FrankaArm
from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.arms.guard import GuardedArm, GuardSettings
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.poses import pose_vector

RATE_HZ = 30.0
STEP_M = 0.001
NOTICED_NM = 0.05
PATIENCE_S = 0.02
POLL_S = 0.0002


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What was measured.

    Attributes:
        round_trips_s: (n,) from a command to a state with its torque [s].
        late_s: (n,) how late each cycle began [s].
        missed: cycles that began more than a period late, or that the watchdog ended.
        unanswered: commands without an answer within PATIENCE_S.
        tick_s: (n,) processor time of command, limits and hand-over [s].
        torques: that reached the robot in time.
        lost: milliseconds without one.
        connected_s: to connect [s].
        faults: of the robot.
    """

    round_trips_s: np.ndarray
    late_s: np.ndarray
    missed: int
    unanswered: int
    tick_s: np.ndarray
    torques: int
    lost: int
    connected_s: float
    faults: int


def _torque(arm: FrankaArm) -> np.ndarray:
    """Return the torques that the robot has taken last, as its newest state says."""
    return np.asarray(arm._robot.state.tau_J_d)  # noqa: SLF001 - no driver needs them


def _answered(arm: FrankaArm, before: np.ndarray, deadline_s: float) -> bool:
    """Wait until the robot's torques have changed."""
    while time.monotonic() < deadline_s:
        if np.abs(_torque(arm) - before).max() > NOTICED_NM:
            return True
        time.sleep(POLL_S)
    return False


def measure(emulator: Emulator, seconds: float) -> Run:
    """Move the tool to and fro by a millimetre, a step each cycle."""
    settings = FrankaSettings(host=emulator.address, realtime="ignore", gripper=False)
    arm = FrankaArm(settings, rate_hz=RATE_HZ)
    guarded = GuardedArm(
        arm,
        load_limits("fr3"),
        GuardSettings(),
        space="pose",
        measured=lambda state: pose_vector(state.tool),
    )
    begun_s = time.monotonic()
    guarded.connect()
    connected_s = time.monotonic() - begun_s
    guarded.take("bench", time.monotonic())
    middle = guarded.stream.reference.position
    trips, late, ticks, unanswered, missed, faults = [], [], [], 0, 0, 0
    gc.freeze()
    due_s = time.monotonic()
    for number in range(round(seconds * RATE_HZ)):
        due_s += 1.0 / RATE_HZ
        time.sleep(max(0.0, due_s - time.monotonic()))
        before = _torque(arm)
        now_s, now_ns = time.monotonic(), time.time_ns()
        late.append(now_s - due_s)
        if late[-1] > 1.0 / RATE_HZ:
            missed += int(late[-1] * RATE_HZ)
            due_s = now_s
        position = middle.copy()
        position[0] += 0.0 if number % 2 else STEP_M
        used_s = time.thread_time()
        command = Command(commander="bench", sequence=number, stamp_ns=now_ns, position=position)
        guarded.offer(command, now_s=now_s, now_ns=now_ns)
        reference = guarded.tick(now_s)
        ticks.append(time.thread_time() - used_s)
        if reference.phase == "fault":
            faults += 1
            guarded.recover()
            guarded.take("bench", time.monotonic())
            due_s = time.monotonic()
        elif _answered(arm, before, now_s + PATIENCE_S):
            trips.append(time.monotonic() - now_s)
        else:
            unanswered += 1
    missed += arm.interruptions
    status = emulator.status()
    guarded.close()
    return Run(
        round_trips_s=np.array(trips),
        late_s=np.array(late),
        missed=missed,
        unanswered=unanswered,
        tick_s=np.array(ticks),
        torques=status["torques"],
        lost=status["lost"],
        connected_s=connected_s,
        faults=faults,
    )


def main() -> None:
    """Print the table."""
    chosen = options(__doc__ or "")
    seconds = chosen.seconds or (10.0 if chosen.quick else 600.0)
    with Emulator(wait_s=0.001) as emulator:
        run = measure(emulator, seconds)
    load, cycles = os.getloadavg()[0], len(run.late_s)
    lost = run.lost / max(run.torques + run.lost, 1)
    rows = [
        ("length", f"{seconds:g} s, load of the machine {load:.1f}", "600 s"),
        ("connected after", f"{1e3 * run.connected_s:.0f} ms", ""),
        ("round trip p50 / p99 / max", spread_words(run.round_trips_s), ""),
        ("cycles late p50 / p99 / max", spread_words(run.late_s), ""),
        (f"missed cycles of {cycles}", f"{run.missed} ({run.unanswered} unanswered)", "0"),
        ("torques that the robot missed", f"{run.lost} ({1e2 * lost:.2f} %)", ""),
        ("stops of the robot", f"{run.faults}", "0"),
        ("command, limits, hand-over", f"{1e6 * np.median(run.tick_s):.0f} us a cycle", ""),
    ]
    figures = {
        "seconds": seconds,
        "load": load,
        "cycles": cycles,
        "missed": run.missed,
        "unanswered": run.unanswered,
        "faults": run.faults,
        "torques": run.torques,
        "torques_lost": run.lost,
        "connected_s": run.connected_s,
        "tick_us": 1e6 * float(np.median(run.tick_s)),
        **{f"round_trip_{key}_ms": value for key, value in spread_ms(run.round_trips_s).items()},
        **{f"late_{key}_ms": value for key, value in spread_ms(run.late_s).items()},
    }
    tell("Franka", rows, figures=figures, file=chosen.json)


if __name__ == "__main__":
    main()
