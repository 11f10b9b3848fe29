import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import whole_episodes as rig

from tiltbot_ros.cli import main

MAIN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from tiltbot_ros.cli import main
raise SystemExit(main(sys.argv[1:]))
"""


@pytest.fixture
def tiltbot(capsys):
    """Return a function that runs the command in this process: status, output, errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def start():
    """Return a function that starts the command in a process of its own."""
    processes = []

    def begin(*arguments: object, **options) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", MAIN, *map(str, arguments)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(command, text=True, env=environment, **options)
        processes.append(process)
        return process

    yield begin
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


@pytest.fixture(scope="session")
def recorded(tmp_path_factory) -> Path:
    """Return a folder with four episodes: two clean, one with a lost block, one without a name."""
    folder = tmp_path_factory.mktemp("recorded")
    ns = 1_000_000_000
    rig.write(
        folder,
        rig.Wanted(),
        rig.Wanted(object="banana", action=(-0.2, 0.7), contact_ns=rig.EPOCH_NS + 20 * ns),
        rig.Wanted(object="banana", contact_ns=rig.EPOCH_NS + 40 * ns, lost_block=100),
        rig.Wanted(object="", contact_ns=rig.EPOCH_NS + 60 * ns),
    )
    return folder


@pytest.fixture
def folder(recorded, tmp_path) -> Path:
    """Return a copy of it to spoil."""
    return Path(shutil.copytree(recorded, tmp_path / "data"))
