"""The whole study: trainings, answers, report, manifest."""

import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from policy_ros.data.splits import SplitSettings, make_splits, read_split, split_names, write_split
from policy_ros.data.store import Store
from policy_ros.evaluation.report import write_report
from policy_ros.evaluation.results import Results
from policy_ros.evaluation.runner import Place, done, run_all
from policy_ros.evaluation.study import Job, plan
from policy_ros.training.fitting import now
from policy_ros.training.provenance import git_sha, machine
from policy_ros.training.run_folder import read_manifest, read_metrics, write_json
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.settings import Settings

REPORT = "report"
MANIFEST = "manifest.json"
SPLITS = ("all", "set_a", "set_b")


class RunEntry(Settings):
    """One training in the manifest of a study."""

    name: str = Field(description="of its folder")
    recipe: str = Field(description="name of the recipe")
    recipe_digest: str = Field(description="of all its settings")
    split: str = Field(description="name of the split")
    split_hash: str = Field(description="of the split")
    seed: int = Field(description="of everything random")
    embedding: str = Field(description="digest of the checkpoint it builds on")
    image_weights: str = Field(description="SHA-256 of weights from outside; empty: none")
    git_sha: str = Field(description="commit of the code that trained it")
    best_epoch: int = Field(description="the checkpoint is from it")
    epochs: int = Field(description="that were trained")
    seconds: float = Field(description="of training and validation [s]")
    seconds_to_best: float = Field(description="until the best epoch [s]")
    samples_per_s: float = Field(description="in training steps [1/s]")
    waiting: float = Field(description="part of the steps' time that data took [1]")
    best: dict[str, float] = Field(description="validation measures of the best epoch")


class StudyManifest(Settings):
    """What a report was made from."""

    command: str
    finished: str = Field(description="time, UTC")
    git_sha: str = Field(description="commit of the code that wrote the report")
    machine: dict[str, str]
    store: str = Field(description="hash of the training store")
    rows: int = Field(description="of the store")
    splits: dict[str, str] = Field(description="hashes by name")
    pushes: int = Field(description="rows of the pushing data set; 0: there is none")
    seeds: tuple[int, ...]
    quick: bool
    precision: str = Field(description="of products and convolutions in training")
    training_s: float = Field(description="sum over all trainings [s]")
    this_session_s: float = Field(description="wall clock of the command that wrote this [s]")
    runs: tuple[RunEntry, ...]


def reproduce(
    place: Place,
    *,
    seeds: int,
    quick: bool,
    workers: int,
    image_weights: Path | None = None,
    precision: str = "float32",
    tell: Callable[[str], None],
    step: Callable[[int, int], None],
) -> Path:
    """Train what has not been trained, and write the report.

    Args:
        place: of the data and the study.
        seeds: so many of each training.
        quick: small networks and few epochs.
        workers: trainings at a time, each in a process with one thread; 1: in this process.
        image_weights: ResNet-18 weights for the image features; None: they are trained.
        precision: of the trainings, `schedule.precision` of a recipe.
        tell: told in words what is done.
        step: told how many trainings are done, of how many.

    Returns:
        The report's Markdown file.

    Raises:
        ConfigError: the store's objects do not make two sets.
        StoreError: the store cannot be read.
    """
    began = time.monotonic()
    store = Store.open(place.store)
    _ensure_splits(store, tell)
    numbers = tuple(range(seeds))
    jobs = plan(
        seeds=numbers,
        pushing=place.pushes is not None,
        quick=quick,
        side=store.settings.picture_size,
        image_weights=image_weights,
        precision=precision,
    )
    before = sum(done(place, job) for job in jobs)
    finished = 0
    if before:
        tell(f"{before} of {len(jobs)} trainings are done already")

    def finish(job: Job, seconds: float) -> None:
        nonlocal finished
        finished += 1
        tell(f"{job.name}: {seconds:.0f} s")
        step(finished, len(jobs))

    step(0, len(jobs))
    run_all(place, jobs, workers=workers, tell=finish)
    tell("writing the report")
    results = Results(place, numbers)
    folder = place.out / REPORT
    report = write_report(
        results,
        folder,
        quick=quick,
        image_weights=image_weights.name if image_weights is not None else "",
        manifest=MANIFEST,
    )
    write_json(
        folder / MANIFEST,
        _manifest(place, store, jobs, numbers, quick=quick, seconds=time.monotonic() - began),
    )
    return report


def _ensure_splits(store: Store, tell: Callable[[str], None]) -> None:
    if not set(SPLITS) <= set(split_names(store)):
        tell("making the store's splits")
        for split in make_splits(store, SplitSettings()):
            write_split(store, split)
    missing = sorted(set(SPLITS) - set(split_names(store)))
    if missing:
        raise ConfigError(
            f"{store.path}: expected objects of set A and of set B, to train on the one and to "
            f"test on the other; there can be no split {', '.join(missing)}"
        )


def _manifest(
    place: Place,
    store: Store,
    jobs: tuple[Job, ...],
    seeds: tuple[int, ...],
    *,
    quick: bool,
    seconds: float,
) -> StudyManifest:
    runs = []
    for job in jobs:
        manifest, metrics = read_manifest(place.folder(job)), read_metrics(place.folder(job))
        runs.append(
            RunEntry(
                name=job.name,
                recipe=manifest.recipe.name,
                recipe_digest=manifest.recipe.digest(),
                split=manifest.origin.split,
                split_hash=manifest.origin.split_hash,
                seed=job.seed,
                embedding=manifest.origin.embedding,
                image_weights=manifest.origin.image_weights,
                git_sha=manifest.origin.git_sha,
                best_epoch=metrics.best_epoch,
                epochs=len(metrics.epochs),
                seconds=round(metrics.seconds, 1),
                seconds_to_best=round(metrics.seconds_to_best, 1),
                samples_per_s=round(metrics.samples_per_s, 1),
                waiting=round(metrics.waiting, 4),
                best={
                    name.removeprefix("validation/"): round(value, 6)
                    for name, value in metrics.best.items()
                    if name.startswith("validation/")
                },
            )
        )
    return StudyManifest(
        command=shlex.join(["tiltbot", *sys.argv[1:]]),
        finished=now(),
        git_sha=git_sha(),
        machine=machine(),
        store=store.hash,
        rows=len(store),
        splits={name: read_split(store, name).hash for name in SPLITS},
        pushes=len(Results(place, seeds).pushes()) if place.pushes is not None else 0,
        seeds=seeds,
        quick=quick,
        precision=jobs[0].recipe.schedule.precision,
        training_s=round(sum(run.seconds for run in runs), 1),
        this_session_s=round(seconds, 1),
        runs=tuple(runs),
    )
