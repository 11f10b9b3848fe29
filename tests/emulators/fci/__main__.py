"""The controller as a process: `python -m tests.emulators.fci ADDRESS`.

It takes one JSON object a line on its standard input, such as {"do": "reflex"}, and answers
each with one on its standard output.
"""

import argparse
import contextlib
import json
import os
import select
import sys
import time

import numpy as np

from tests.emulators.fci.arm import Controller
from tests.emulators.fci.hand import PERIOD_S, Hand
from tests.emulators.fci.model import STEP_S

BEHIND_S = 0.05
"""Time that is not caught up with when the machine was busy [s]."""


class Desk:
    """What a person does to the robot, by lines of JSON."""

    def __init__(self, arm: Controller, hand: Hand) -> None:
        self._arm, self._hand = arm, hand
        self._read = b""

    def serve(self) -> bool:
        """Carry out what came; return False at the end of the input."""
        data = os.read(0, 65536)
        if not data:
            return False
        *lines, self._read = (self._read + data).split(b"\n")
        for line in lines:
            request = json.loads(line)
            answer = getattr(self, f"do_{request.pop('do')}")(**request)
            sys.stdout.write(json.dumps(answer or {}) + "\n")
            sys.stdout.flush()
        return True

    def do_status(self) -> dict:
        hand = self._hand
        return self._arm.status() | {
            "hand": {"width": hand.width_m, "holds": hand.holds, "requests": hand.requests}
        }

    def do_path(self, since_s: float) -> dict:
        return {"path": [row for row in self._arm.path if row[1] >= since_s]}

    def do_reset(self) -> None:
        self._arm.reset()
        self._hand.reset()

    def do_reflex(self, reason: str = "cartesian_reflex") -> None:
        self._arm.reflex(reason)

    def do_press(self) -> None:
        self._arm.press()

    def do_release(self) -> None:
        self._arm.release()

    def do_guide(self) -> None:
        self._arm.guide()

    def do_push(self, force: list[float]) -> None:
        self._arm.push = np.array(force)

    def do_place(self, q: list[float]) -> None:
        self._arm.body.place(np.array(q))

    def do_set(self, **values: float) -> None:
        for name, value in values.items():
            if not hasattr(self._arm, name):
                raise AttributeError(name)
            setattr(self._arm, name, value)

    def do_hand(self, **values: float) -> None:
        for name, value in values.items():
            if not hasattr(self._hand, name):
                raise AttributeError(name)
            setattr(self._hand, name, value)

    def do_hang_up(self) -> None:
        self._arm.hang_up()
        self._hand.hang_up()


def main() -> None:
    """Run until the standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--wait-s", type=float, default=0.05)
    chosen = parser.parse_args()
    arm, hand = Controller(chosen.address, wait_s=chosen.wait_s), Hand(chosen.address)
    desk = Desk(arm, hand)
    with contextlib.suppress(PermissionError):
        # The robot's time goes on beside a busy machine, as a robot's does.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    print("ready", flush=True)  # noqa: T201
    due_s = hand_due_s = time.monotonic()
    while True:
        now_s = time.monotonic()
        if not (arm.busy or hand.busy):
            select.select([0, *arm.sockets(), *hand.sockets()], [], [], PERIOD_S)
            due_s = time.monotonic()
        elif now_s < due_s:
            time.sleep(due_s - now_s)
        elif now_s - due_s > BEHIND_S:
            due_s = now_s
        due_s += STEP_S
        if select.select([0], [], [], 0.0)[0] and not desk.serve():
            return
        arm.cycle()
        if (now_s := time.monotonic()) >= hand_due_s:
            hand_due_s = max(hand_due_s + PERIOD_S, now_s)
            hand.step()


if __name__ == "__main__":
    main()
