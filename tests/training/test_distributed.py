"""Two processes that average their gradients learn what one does."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from policy_ros.data.splits import read_split
from policy_ros.models.checkpoint import load_checkpoint
from policy_ros.training.run_folder import read_metrics
from policy_ros.training.training import train
from tests.training.small import recipe
from tiltbot_ros.errors import ConfigError

ROOT = Path(__file__).parents[2]
CHANGES = ("augmentations=[symmetry]", "schedule.epochs=2")


def test_two_processes_give_the_weights_of_one(store, tmp_path):
    split = read_split(store, "set_a")
    alone = train(recipe("tiltbot", *CHANGES), store, split, out=tmp_path / "one", seed=0)
    script = ROOT / "tests" / "training" / "trained_together.py"
    done = subprocess.run(
        [sys.executable, script, store.path, tmp_path / "two", *CHANGES],
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    one, contract = load_checkpoint(tmp_path / "one" / "checkpoint")
    two, same = load_checkpoint(tmp_path / "two" / "checkpoint")
    # Sums of floats in another order are not the same bits.
    for (name, value), other in zip(
        one.state_dict().items(), two.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(value, other, atol=2e-5, rtol=1e-3, msg=name)
    together = read_metrics(tmp_path / "two")
    for mine, theirs in zip(alone.epochs, together.epochs, strict=True):
        for name, value in mine.measures.items():
            if name.startswith("validation/"):
                assert theirs.measures[name] == pytest.approx(value, abs=1e-4), name
    assert same.origin.data_hash == contract.origin.data_hash
    assert not list((tmp_path / "two" / "resume").iterdir())


def test_a_batch_that_cannot_be_shared_out_is_refused(store, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ConfigError, match=r"schedule\.batch to be a multiple of the 3 processes"):
        train(recipe(), store, read_split(store, "set_a"), out=tmp_path / "run", seed=0)
