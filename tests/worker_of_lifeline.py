"""A worker that works for ever, unless its owner ends."""

import os
import time

from tiltbot_ros.lifeline import end_with_parent


def work() -> None:
    """Print the process id, then work."""
    end_with_parent()
    os.write(1, f"{os.getpid()}\n".encode())
    while True:
        time.sleep(1.0)
