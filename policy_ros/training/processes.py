"""How many processes train together, as torchrun tells them."""

import os


def processes() -> tuple[int, int]:
    """Return the number of processes that torchrun started, and which one this is."""
    return int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))


def processes_here() -> int:
    """Return the number of them on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
