"""Every figure of the study, computed from the answers of its trainings."""

from collections.abc import Callable
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from policy_ros.data.splits import PARTS, Split, read_split
from policy_ros.data.store import Store
from policy_ros.evaluation.answering import read_answers
from policy_ros.evaluation.evaluating import Answers
from policy_ros.evaluation.few_shot import SHOTS, few_shot_accuracy
from policy_ros.evaluation.measures import (
    Spread,
    accuracy,
    mean_absolute,
    mean_distance,
    mean_squared,
    spread,
)
from policy_ros.evaluation.runner import RUNS, Place
from policy_ros.evaluation.untrained import untrained_embedding
from policy_ros.training.preparation import classes_of
from policy_ros.training.push_training import usable_pushes
from tiltbot_ros.generating.push_set import PushSet

Rows = npt.NDArray[np.int64]
Array = npt.NDArray[np.float32]
Part = Literal["seen", "unseen", "unseen_test", "all"]
"""Test rows of set A; all rows of set B; test rows of set B; test rows of all objects."""

FEW_SHOT_DRAWS = 8


class Results:
    """The answers of all trainings, and what follows from them.

    Args:
        place: of the study.
        seeds: that it was done with.
    """

    def __init__(self, place: Place, seeds: tuple[int, ...]) -> None:
        self.place = place
        self.seeds = seeds
        self.store = Store.open(place.store)
        self.objects: Rows = self.store.array("object")[:].astype(np.int64)
        self.actions: Array = self.store.array("action")[:]
        self.names = tuple(entry.name for entry in self.store.objects)
        self._split = cache(self._read_split)
        self._read = cache(self._read_answers)
        self._few = cache(self._measure_few_shot)

    def split(self, name: str) -> Split:
        """Return one of the store's splits."""
        return self._split(name)

    def rows(self, part: Part) -> Rows:
        """Return the rows that a figure is over."""
        if part == "unseen":
            dealt = self.split("set_b")
            return np.sort(np.concatenate([dealt.part(name) for name in PARTS]))
        names = {"seen": "set_a", "unseen_test": "set_b", "all": "all"}
        return self.split(names[part]).part("test")

    def answers(self, group: str, seed: int) -> Answers:
        """Return what a training's model said."""
        return self._read(group, seed)

    def output(self, group: str, seed: int, name: str, rows: Rows) -> tuple[Rows, Array]:
        """Return those of the rows that a model was asked about, and its output for them."""
        answers = self.answers(group, seed)
        place = np.minimum(np.searchsorted(answers.rows, rows), max(0, len(answers.rows) - 1))
        there = answers.rows[place] == rows
        return rows[there], answers.outputs[name][place[there]]

    def classes(self, split: str) -> Rows:
        """Return the number among a split's classes of every object; -1: none."""
        known = classes_of(self.store, self.split(split))
        return np.array([known.index(name) if name in known else -1 for name in self.names])

    def accuracy(self, group: str, part: Part, split: str) -> Spread:
        """Return the accuracy over rows of the split's objects."""
        lookup = self.classes(split)

        def one(seed: int) -> float:
            rows, logits = self.output(group, seed, "logits", self.rows(part))
            return accuracy(logits, lookup[self.objects[rows]])

        return self.over_seeds(one)

    def inverse(
        self,
        group: str,
        part: Part,
        measure: Callable[[Array, Array], float] = mean_squared,
    ) -> Spread:
        """Return the error of the action, mean squared unless another measure is asked for."""

        def one(seed: int) -> float:
            rows, action = self.output(group, seed, "action", self.rows(part))
            return measure(action, self.actions[rows])

        return self.over_seeds(one)

    def forward(self, group: str, part: Part) -> Spread:
        """Return the mean absolute error of the location after."""
        truth = self.store.array("location_after")

        def one(seed: int) -> float:
            rows, located = self.output(group, seed, "location_after", self.rows(part))
            return mean_absolute(located, truth[rows])

        return self.over_seeds(one)

    def pushing(self, group: str) -> Spread:
        """Return the mean distance from where pushed test objects came to lie."""
        pushes = self.pushes()
        truth = np.asarray(pushes.location_end)

        def one(seed: int) -> float:
            answers = self.answers(group, seed)
            return mean_distance(answers.outputs["location_end"], truth[answers.rows])

        return self.over_seeds(one)

    def pushes(self) -> PushSet:
        """Return the pushing data set."""
        assert self.place.pushes is not None  # noqa: S101 - for the type
        return PushSet.open(self.place.pushes)

    def still_pushes(self) -> float:
        """Return the pushing error of saying that nothing moves."""
        pushes = self.pushes()
        rows = usable_pushes(pushes, pushes.rows("test"))
        return mean_distance(
            np.asarray(pushes.location_start)[rows], np.asarray(pushes.location_end)[rows]
        )

    def still(self, part: Part) -> float:
        """Return the forward error of saying that nothing moves."""
        rows = self.rows(part)
        before = self.store.array("location_before")[rows]
        after = self.store.array("location_after")[rows]
        seen = np.isfinite(before).all(1) & np.isfinite(after).all(1)
        return mean_absolute(before[seen], after[seen])

    def constant_action(self, part: Part) -> float:
        """Return the inverse error of always saying the mean action of the training rows."""
        mean = self.actions[self.split("set_a").part("train")].mean(0)
        truth = self.actions[self.rows(part)]
        return mean_squared(np.broadcast_to(mean, truth.shape), truth)

    def random_action(self, part: Part) -> float:
        """Return the inverse error of saying the action of a random training row."""
        rng = np.random.default_rng(0)
        truth = self.actions[self.rows(part)]
        drawn = rng.choice(self.split("set_a").part("train"), len(truth))
        return mean_squared(self.actions[drawn], truth)

    def embedding(self, group: str, seed: int, rows: Rows) -> Array:
        """Return embeddings of rows; the group "random" is a network as it was initialized."""
        if group == "random":
            file = self.place.out / RUNS / f"random_seed{seed}.npy"
            if not file.is_file():
                np.save(file, untrained_embedding(self.place, seed, self.rows("unseen")))
            everything: Array = np.load(file, allow_pickle=False)
            return everything[np.searchsorted(self.rows("unseen"), rows)]
        return self.output(group, seed, "embedding", rows)[1]

    def shots(self) -> tuple[int, ...]:
        """Return the numbers of known interactions that the store allows."""
        counts = np.unique(self.objects[self.rows("unseen")], return_counts=True)[1]
        return tuple(k for k in SHOTS if k < counts.min() - 2)

    def few_shot(self, group: str) -> tuple[Spread, ...]:
        """Return the accuracy on set B for each of `shots`."""
        return self._few(group)

    def _measure_few_shot(self, group: str) -> tuple[Spread, ...]:
        rows, shots = self.rows("unseen"), self.shots()
        curves = np.stack(
            [
                few_shot_accuracy(
                    self.embedding(group, seed, rows),
                    self.objects[rows],
                    shots=shots,
                    draws=FEW_SHOT_DRAWS,
                    seed=seed,
                )
                for seed in self.seeds
            ]
        )
        return tuple(spread(list(curve)) for curve in curves.T)

    def over_seeds(self, one: Callable[[int], float]) -> Spread:
        """Return the spread of a figure over the seeds."""
        return spread([one(seed) for seed in self.seeds])

    def _read_split(self, name: str) -> Split:
        return read_split(self.store, name)

    def _read_answers(self, group: str, seed: int) -> Answers:
        return read_answers(self.place.out / RUNS / f"{group}_seed{seed}")
