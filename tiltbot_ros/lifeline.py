"""How processes end with the one that started them, however that ended."""

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Callable

SUPERVISED = "TILTBOT_SUPERVISED"
"""Variable that tells a node that its standard input ends when its supervisor does."""


def watch(ended: Callable[[], None]) -> None:
    """Call `ended`, from a thread, when the supervisor is gone; do nothing where there is none."""
    if SUPERVISED in os.environ:
        threading.Thread(target=_wait, args=(ended,), daemon=True).start()


def end_with_parent() -> None:
    """End this process, which multiprocessing has spawned, when the one that spawned it ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.join,), daemon=True).start()


def _follow(wait: Callable[[], None]) -> None:
    wait()
    os._exit(1)


def _wait(ended: Callable[[], None]) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    ended()
