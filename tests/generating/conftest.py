import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import quick


@pytest.fixture(scope="session")
def generated(tmp_path_factory) -> Path:
    """Return a folder with two generated episodes of each of two objects, by one worker."""
    out = tmp_path_factory.mktemp("generated") / "data"
    quick.fill(out)
    return out
