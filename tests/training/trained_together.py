"""What torchrun starts: one training on the toy store."""

import sys
from pathlib import Path

from policy_ros.data.splits import read_split
from policy_ros.data.store import Store
from policy_ros.training.training import train
from tests.training.small import recipe

if __name__ == "__main__":
    store = Store.open(Path(sys.argv[1]))
    train(
        recipe("tiltbot", *sys.argv[3:]),
        store,
        read_split(store, "set_a"),
        out=Path(sys.argv[2]),
        seed=0,
    )
