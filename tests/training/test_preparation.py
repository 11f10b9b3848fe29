"""Batches of the store become batches of the model as the recipe says."""

import numpy as np
import pytest
import torch

from policy_ros.data.dataset import StoreDataset
from policy_ros.signals.front_end import FrontEnd
from policy_ros.training.derived import DerivedArray
from policy_ros.training.preparation import Preparation
from tests.training.small import recipe
from tiltbot_ros.errors import ConfigError

CLASSES = ("a0", "a1", "a2", "a3")
ROWS = np.arange(24)


def prepared(store, chosen, epoch=None, classes=CLASSES):
    prepare = Preparation(chosen, store, classes, seed=1)
    data = StoreDataset(store, ROWS, prepare.arrays(), picture=chosen.picture)
    return prepare, prepare(data[ROWS], epoch)


def test_microphones_are_picked_and_pictures_shrunk(store):
    prepare, batch = prepared(store, recipe("tiltbot", "microphones=[3, 0]", "picture=16"))
    sound = store.array("spectrogram")[ROWS].astype(np.float32)
    assert torch.equal(batch["spectrogram"], torch.from_numpy(sound[:, [3, 0]]))
    assert batch["before"].shape == (24, 3, 16, 16)
    assert prepare.shapes.spectrogram == (2, 32, 32)
    assert prepare.shapes.picture == (3, 16, 16)


def test_objects_are_numbered_among_the_classes(store):
    _, batch = prepared(store, recipe())
    names = [store.objects[n].name for n in store.array("object")[ROWS]]
    numbers = [CLASSES.index(name) if name in CLASSES else -1 for name in names]
    assert batch["object"].tolist() == numbers


def test_only_training_is_augmented_and_the_sound_stays_within_limits(store):
    chosen = recipe("tiltbot", "augmentations=[symmetry, gain, time_shift, masks]")
    _, plain = prepared(store, chosen)
    _, same = prepared(store, recipe())
    _, augmented = prepared(store, chosen, epoch=0)
    assert torch.equal(plain["spectrogram"], same["spectrogram"])
    assert not torch.equal(augmented["spectrogram"], plain["spectrogram"])
    assert -5 <= augmented["spectrogram"].min() <= augmented["spectrogram"].max() <= 5


def test_another_front_end_is_one_line_and_made_once(store, monkeypatch):
    chosen = recipe(
        "tiltbot",
        "front_end={transform: log_mel, frequencies: 24, times: 20, window: 126, hop: 64}",
    )
    prepare, batch = prepared(store, chosen)
    assert prepare.shapes.spectrogram == (4, 24, 20)
    expected = FrontEnd(chosen.front_end).spectrogram(store.array("audio")[3])
    assert np.array_equal(batch["spectrogram"][3].numpy(), expected.astype(np.float16))
    monkeypatch.setattr(FrontEnd, "spectrogram", None)  # would fail if it were made again
    DerivedArray.spectrograms(store, chosen.front_end)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("microphones=[0, 4]", "microphones among 0 to 3"),
        ("picture=20", "multiple of 20 px"),
        ("front_end={sample_rate_hz: 16000}", "sample_rate_hz=11025"),
    ],
)
def test_what_the_store_has_not_is_refused(store, change, reason):
    with pytest.raises(ConfigError, match=reason):
        prepared(store, recipe("tiltbot", change))
