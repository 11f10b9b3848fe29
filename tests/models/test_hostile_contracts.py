"""A contract that lies about its weights is refused before it costs memory or an answer."""

import json

import pytest

from policy_ros.models.checkpoint import load_checkpoint
from policy_ros.models.contract_file import LARGEST_BYTES, read_contract
from tests.models.checkpoints import write_checkpoint
from tiltbot_ros.errors import ModelError


@pytest.fixture
def folder(tmp_path):
    write_checkpoint(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def edit(folder, change):
    path = folder / "contract.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def sized(picture):
    """Return a change to pictures of this size, in everything that a contract says of them."""

    def change(document):
        document["shapes"]["picture"] = picture
        document["inputs"][1]["shape"] = picture

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        # Its first linear layer alone would take 32 TB.
        (sized([3, 1_000_000, 1_000_000]), "does not hold the weights of the model 'multitask'"),
        (sized([3, 10**12, 10**12]), "describes no network that can be built"),
        (sized([3, 64, -64]), "describes no network that can be built"),
        (
            lambda d: d["inputs"].pop(),
            r"expected the inputs of the model.*before \(3, 64, 64\), got",
        ),
        (lambda d: d["inputs"].reverse(), "expected the inputs of the model"),
        (lambda d: d["inputs"][0].update(shape=[4, 32, 64]), r"got spectrogram \(4, 32, 64\)"),
        (lambda d: d["outputs"][0].update(name="verdict"), r"got verdict \(3,\)"),
        (lambda d: d.update(microphones=[0, 1, 2, -1]), "microphones.*greater than or equal to 0"),
        (
            lambda d: (d.update(microphones=[]), d["shapes"].update(spectrogram=[0, 64, 64])),
            "microphones: .*at least 1 item",
        ),
    ],
)
def test_a_contract_of_another_network_is_refused(folder, change, reason):
    edit(folder, change)
    with pytest.raises(ModelError, match=reason):
        load_checkpoint(folder)


def test_a_contract_too_large_to_be_one_is_not_read(folder):
    with (folder / "contract.json").open("ab") as file:
        file.truncate(LARGEST_BYTES + 1)
    with pytest.raises(ModelError, match="of less than 4000000 bytes"):
        read_contract(folder)
