"""A toy store with its splits, made once, and a disk that is not waited for."""

import os

import pytest

from policy_ros.data.splits import SplitSettings, make_splits, write_split
from policy_ros.data.store import Store
from tests.training.synthetic import write_store


@pytest.fixture(scope="session", autouse=True)
def unhurried_disk():
    """Leave to the system when it writes to the disk: the power stays on in these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    path = write_store(tmp_path_factory.mktemp("learning") / "store", rows_per_object=30)
    opened = Store.open(path)
    for split in make_splits(opened, SplitSettings()):
        write_split(opened, split)
    return opened
