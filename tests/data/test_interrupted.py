"""Conversions that are killed, interrupted, or out of disk."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import bags
import pytest
import whole_episodes as rig

from policy_ros.data.store import Store
from tiltbot_ros.episodes import catalogue


def test_what_is_converted_is_kept_on_ctrl_c(data, converted, tmp_path):
    def stop(done, _total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bags.converted(data, out=tmp_path / "store", tell=stop)
    assert len(Store.open(tmp_path / "store")) == 5
    assert bags.converted(data, out=tmp_path / "store").added == 1
    assert Store.open(tmp_path / "store").hash == converted.hash


CHILD = """
import os, sys, signal
sys.path[:0] = sys.argv[3:]
from pathlib import Path
import bags, resource
limit = int(os.environ.get("LIMIT", "0"))
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
def tell(done, total):
    if done == int(os.environ.get("KILL", "0")):
        os.kill(os.getpid(), signal.SIGKILL)
bags.converted(Path(sys.argv[1]), out=Path(sys.argv[2]), tell=tell)
"""


def child(data: Path, out: Path, **environment: str) -> subprocess.CompletedProcess:
    paths = [Path(__file__).parent, Path(rig.__file__).parent, Path.cwd()]
    return subprocess.run(
        [sys.executable, "-c", CHILD, data, out, *paths],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_a_killed_conversion_goes_on_to_the_same_bytes(data, converted, tmp_path):
    out = tmp_path / "store"
    assert child(data, out, KILL="5").returncode == -signal.SIGKILL
    assert len(Store.open(out)) == 4
    assert bags.converted(data, out=out).added == 2
    assert Store.open(out).hash == converted.hash
    assert not list(out.glob("*.partial"))


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit of file sizes")
def test_a_disk_that_is_full_is_told_and_nothing_finished_is_lost(data, converted, tmp_path):
    out = tmp_path / "store"
    bags.converted(data, out=out, settings=bags.SMALL.model_copy(update={"shard_rows": 2}))
    catalogue.relabel(data, "ep_000001", object_name="spoon")
    before = Store.open(out).hash
    done = child(data, tmp_path / "new", LIMIT="1000000")
    assert done.returncode == 1
    assert "File too large: make room on the disk" in done.stderr
    assert len(Store.open(tmp_path / "new")) == 0
    assert not list((tmp_path / "new").glob("shard_*"))
    assert Store.open(out).hash == before
    assert bags.converted(data, out=tmp_path / "new").added == 6
