import lightning
import numpy as np
import pytest
import rows
import torch
from torch.utils.data import DataLoader

from policy_ros.data.dataset import StoreDataset, whole_batch
from policy_ros.data.module import StoreModule
from policy_ros.data.splits import SplitSettings, make_splits
from policy_ros.data.statistics import measure
from policy_ros.data.store import Store
from tiltbot_ros.errors import StoreError

NAMES = ("audio", "spectrogram", "before", "after", "action", "location_after", "object", "tray")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("dataset") / "store"
    rows.write(path, range(60), rows.SMALL.model_copy(update={"shard_rows": 16}))
    return Store.open(path)


@pytest.fixture(scope="module")
def split(store):
    return make_splits(store, SplitSettings())[0]


def test_a_batch_has_the_documented_shapes_types_and_values(store):
    dataset = StoreDataset(store, np.arange(60), NAMES)
    batch = dataset[[3, 50, 4]]
    samples = [rows.sample(number) for number in (3, 50, 4)]
    assert batch["row"].tolist() == [3, 50, 4]
    assert batch["spectrogram"].shape == (3, 4, 8, 8)
    assert batch["spectrogram"].dtype == torch.float32
    assert batch["object"].tolist() == [0, 2, 1]
    for place, sample in enumerate(samples):
        picture = torch.from_numpy(sample.before).permute(2, 0, 1) / 255
        assert torch.equal(batch["before"][place], picture)
        assert torch.equal(batch["action"][place], torch.from_numpy(sample.action))
        assert torch.allclose(batch["audio"][place], torch.from_numpy(sample.audio / 32768).float())
        assert torch.equal(batch["tray"][place], torch.from_numpy(sample.tray))


def test_locations_that_were_not_seen_are_masked(store):
    batch = StoreDataset(store, np.arange(60), ["location_after"])[np.arange(10)]
    assert batch["location_after_seen"].tolist() == [number % 5 != 4 for number in range(10)]
    assert batch["location_after"][4].tolist() == [0, 0]
    assert torch.isfinite(batch["location_after"]).all()


def test_rows_without_a_required_location_are_left_out(store):
    dataset = StoreDataset(store, np.arange(60), ["location_after"], require=["location_after"])
    assert len(dataset) == 48
    assert dataset[np.arange(48)]["location_after_seen"].all()


def test_one_sample_is_a_row_of_its_batch(store):
    dataset = StoreDataset(store, np.array([7, 2]), NAMES)
    one, batch = dataset[1], dataset[[0, 1]]
    assert all(torch.equal(one[name], batch[name][1]) for name in batch)
    assert len(dataset) == 2


def test_a_loader_takes_whole_batches(store):
    dataset = StoreDataset(store, np.arange(60), ["spectrogram", "object"])
    loader = DataLoader(dataset, batch_size=16, collate_fn=whole_batch)
    seen = torch.cat([batch["row"] for batch in loader])
    assert seen.tolist() == list(range(60))


def test_the_shuffled_control_pairs_sound_and_labels_of_different_rows(store):
    dataset = StoreDataset(store, np.arange(20, 60), NAMES, control="shuffled", seed=1)
    batch = dataset[np.arange(40)]
    plain = StoreDataset(store, np.arange(20, 60), NAMES)[np.arange(40)]
    assert torch.equal(batch["action"], plain["action"])
    moved = (batch["spectrogram"] != plain["spectrogram"]).flatten(1).any(1)
    assert moved.float().mean() > 0.9
    # The sound and the pictures of a sample are still of one and the same row.
    places = [
        int((plain["spectrogram"] == one).flatten(1).all(1).nonzero())
        for one in batch["spectrogram"]
    ]
    assert torch.equal(batch["before"], plain["before"][places])
    assert sorted(places) == list(range(40))


def test_the_noise_control_depends_on_the_row_alone(store):
    dataset = StoreDataset(store, np.arange(60), NAMES, control="noise", seed=1)
    batch = dataset[[5, 6]]
    assert torch.equal(batch["spectrogram"][1], dataset[[6, 9]]["spectrogram"][0])
    plain = StoreDataset(store, np.arange(60), NAMES)[[5, 6]]
    assert torch.equal(batch["before"], plain["before"])
    assert abs(np.corrcoef(batch["spectrogram"].ravel(), plain["spectrogram"].ravel())[0, 1]) < 0.2


def test_unknown_arrays_and_rows_are_refused(store):
    with pytest.raises(StoreError, match="expected one of the arrays"):
        StoreDataset(store, np.arange(3), ["sound"])
    with pytest.raises(StoreError, match="expected rows below 60"):
        StoreDataset(store, np.arange(61), ["audio"])


def test_an_epoch_has_every_batch_once_and_its_order_is_its_own(store, split):
    module = StoreModule(store, split, ["object"], batch=8, seed=1)
    first = [batch["row"] for batch in module.train_dataloader()]
    assert [len(batch) for batch in first] == [8] * module.steps
    assert len(set(torch.cat(first).tolist())) == 8 * module.steps
    again = [batch["row"] for batch in module.train_dataloader()]
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    other = StoreModule(store, split, ["object"], batch=8, seed=2)
    assert (
        torch.cat([b["row"] for b in other.train_dataloader()]).tolist()
        != torch.cat(first).tolist()
    )
    tested = torch.cat([batch["row"] for batch in module.test_dataloader()])
    assert tested.tolist() == list(split.test)
    assert len(module.val_dataloader()) == 1


class Counting(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)
        self.orders = []

    def training_step(self, batch, _):
        self.orders.append((self.current_epoch, batch["row"].tolist()))
        return (self.layer(batch["action"]) ** 2).mean()

    def validation_step(self, batch, _):
        self.log("validation/loss", (self.layer(batch["action"]) ** 2).mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def test_a_trainer_gets_another_order_each_epoch(store, split, tmp_path):
    module = StoreModule(store, split, ["action"], batch=8, seed=1)
    model = Counting()
    trainer = lightning.Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
        use_distributed_sampler=False,
        reload_dataloaders_every_n_epochs=0,
    )
    trainer.fit(model, datamodule=module)
    epochs = [[r for e, batch in model.orders if e == epoch for r in batch] for epoch in (0, 1)]
    assert len(epochs[0]) == len(epochs[1]) == 8 * module.steps
    assert epochs[0] != epochs[1]


def test_a_module_refuses_a_split_of_another_store(store, split):
    other = split.model_copy(update={"store": "0" * 16})
    with pytest.raises(StoreError, match="expected a split of the store"):
        StoreModule(store, other, ["action"], batch=4, seed=0)


def test_a_module_without_rows_to_train_on_is_refused(store, split):
    empty = split.model_copy(update={"train": ()})
    with pytest.raises(StoreError, match="expected rows to train on"):
        StoreModule(store, empty, ["action"], batch=4, seed=0)


@pytest.mark.parametrize(
    ("name", "keep"),
    [
        ("spectrogram", (1,)),
        ("before", (0,)),
        ("action", ()),
        ("tray", (1,)),
        ("location_after", (0,)),
    ],
)
def test_statistics_are_those_of_all_rows_together(store, name, keep, monkeypatch):
    monkeypatch.setattr("policy_ros.data.statistics._ROWS", 7)
    chosen = np.arange(0, 60, 2)
    found = measure(store, chosen, name, keep=keep)
    values = store.array(name).take(chosen).astype(np.float64)
    if name == "before":
        values = np.moveaxis(values / 255, -1, 1)
    axes = tuple(axis for axis in range(values.ndim) if axis - 1 not in keep)
    assert np.allclose(found.mean.ravel(), np.nanmean(values, axis=axes).ravel())
    assert np.allclose(found.deviation.ravel(), np.nanstd(values, axis=axes).ravel())


def test_statistics_of_nothing_are_refused(store):
    with pytest.raises(StoreError, match="expected values of action in 0 rows"):
        measure(store, np.empty(0, np.int64), "action")
