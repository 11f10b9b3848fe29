import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "commands"))
sys.path.insert(0, str(Path(__file__).parent))

import bags


@pytest.fixture(scope="session")
def recorded(tmp_path_factory) -> Path:
    """Return a folder of six episodes of three objects; copy it to change it."""
    folder = tmp_path_factory.mktemp("recorded") / "data"
    bags.record(folder, 6)
    return folder
