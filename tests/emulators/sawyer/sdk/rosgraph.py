"""The part of ROS 1's rosgraph that the side process uses."""

import os
from pathlib import Path


def is_master_online():
    return Path(os.environ["EMULATED_SAWYER"]).exists()
