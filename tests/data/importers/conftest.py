import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "commands"))

import release


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """Return the folder of an experiment with two knocks; tests leave it as it is."""
    return release.write(tmp_path_factory.mktemp("release"))
