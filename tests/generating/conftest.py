import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import quick


def made(tmp_path_factory, form) -> Path:
    out = tmp_path_factory.mktemp(form) / "data"
    quick.fill(out, form=form, objects=quick.OBJECTS[:1])
    return out


@pytest.fixture(scope="session")
def raw(tmp_path_factory) -> Path:
    """Return a folder with two episodes of the first object as the live rig records them."""
    return made(tmp_path_factory, "raw")


@pytest.fixture(scope="session")
def video(tmp_path_factory) -> Path:
    """Return a folder with the same two episodes, every picture compressed."""
    return made(tmp_path_factory, "video")


@pytest.fixture(scope="session")
def generated(tmp_path_factory) -> Path:
    """Return a folder with two generated episodes of each of two objects, by one worker."""
    out = tmp_path_factory.mktemp("generated") / "data"
    quick.fill(out)
    return out
