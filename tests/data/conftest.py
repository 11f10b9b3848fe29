import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "commands"))
sys.path.insert(0, str(Path(__file__).parent))

import bags

from policy_ros.data.store import Store


@pytest.fixture(scope="session")
def recorded(tmp_path_factory) -> Path:
    """Return a folder of six episodes of three objects; copy it to change it."""
    folder = tmp_path_factory.mktemp("recorded") / "data"
    bags.record(folder, 6)
    return folder


@pytest.fixture
def data(recorded, tmp_path) -> Path:
    """Return a copy of that folder, to change."""
    return bags.copied(recorded, tmp_path / "data")


@pytest.fixture(scope="session")
def converted(recorded, tmp_path_factory) -> Store:
    """Return the store of that folder."""
    out = tmp_path_factory.mktemp("converted") / "store"
    bags.converted(recorded, out=out)
    return Store.open(out)
