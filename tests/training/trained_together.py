"""Two processes of torchrun's launcher, each a training on the toy store.

torchrun starts a program for each process; here its launcher forks them, so
that PyTorch and Lightning are imported once.
"""

import sys
from pathlib import Path

from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from policy_ros.data.splits import read_split
from policy_ros.data.store import Store
from policy_ros.training.training import train
from tests.training.small import recipe

AS_STANDALONE = {"rdzv_backend": "c10d", "rdzv_endpoint": "localhost:0", "run_id": "together"}
"""What `torchrun --standalone` means."""


def work(store, out, *changes):
    opened = Store.open(Path(store))
    split = read_split(opened, "set_a")
    train(recipe("tiltbot", *changes), opened, split, out=Path(out), seed=0)


if __name__ == "__main__":
    config = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=2, max_restarts=0, start_method="fork",
        **AS_STANDALONE,
    )  # fmt: skip
    elastic_launch(config, work)(*sys.argv[1:])
