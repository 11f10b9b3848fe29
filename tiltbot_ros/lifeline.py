"""What a node learns of the end of the process that started it, however that ended."""

import contextlib
import os
import threading
from collections.abc import Callable

SUPERVISED = "TILTBOT_SUPERVISED"
"""Variable that tells a node that its standard input ends when its supervisor does."""


def watch(ended: Callable[[], None]) -> None:
    """Call `ended`, from a thread, when the supervisor is gone; do nothing where there is none."""
    if SUPERVISED in os.environ:
        threading.Thread(target=_wait, args=(ended,), daemon=True).start()


def _wait(ended: Callable[[], None]) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    ended()
