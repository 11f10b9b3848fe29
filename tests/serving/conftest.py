import pytest

from tests.serving import served


@pytest.fixture(scope="session")
def episodes(tmp_path_factory):
    """Return the folders of three episodes of a mug."""
    return served.make_episodes(tmp_path_factory.mktemp("episodes") / "data")


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """Return the folder of an untrained multi-task model."""
    folder = tmp_path_factory.mktemp("models") / "multitask"
    served.make_checkpoint(folder)
    return folder


@pytest.fixture(scope="session")
def forward_checkpoint(tmp_path_factory):
    """Return the folder of an untrained forward model that listens."""
    folder = tmp_path_factory.mktemp("models") / "forward"
    served.make_checkpoint(folder, "forward_audio")
    return folder
