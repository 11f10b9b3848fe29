import pytest

from policy_ros.serving.export import TOLERANCE, export
from tests.models.checkpoints import SMALL, write_checkpoint
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


@pytest.fixture(scope="session")
def exported_checkpoint(tmp_path_factory):
    """Return the folder of an exported multi-task model that hears as the improved recipe's do.

    An export takes seconds: it is made once, and to be copied before it is changed.
    """
    folder = tmp_path_factory.mktemp("models") / "exported"
    settings = SMALL.model_copy(update={"audio_channels": "differences"})
    write_checkpoint(folder, settings=settings)
    assert export(folder) < TOLERANCE
    return folder


@pytest.fixture(scope="session")
def exported(checkpoint, forward_checkpoint):
    """Return these checkpoints by role, exported."""
    for folder in (checkpoint, forward_checkpoint):
        export(folder)
    return {"inverse": checkpoint, "classify": checkpoint, "forward": forward_checkpoint}
