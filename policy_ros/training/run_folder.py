"""The folder of a training: everything that it was made from, and what came out."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import yaml
from pydantic import Field, ValidationError

from policy_ros.models.contract import Origin
from policy_ros.training.processes import processes
from policy_ros.training.recipe import Recipe
from tiltbot_ros.episodes.folder import write_durably
from tiltbot_ros.errors import ConfigError, ModelError
from tiltbot_ros.settings import S, Settings, explain

RUN = "run.json"
RECIPE = "recipe.yaml"
METRICS = "metrics.json"
CHECKPOINT = "checkpoint"
RESUME = "resume"


class RunManifest(Settings):
    """What a training was started with."""

    status: Literal["training", "finished"] = Field("training", description="how far it is")
    command: str = Field("", description="that started it")
    recipe: Recipe
    origin: Origin
    store: str = Field("", description="path of the data")
    machine: dict[str, str] = Field({}, description="what speed depends on")
    started: str = Field("", description="time, UTC")
    finished: str = Field("", description="time, UTC; empty: it is not")

    def same_training(self, other: "RunManifest") -> bool:
        """Whether both train the same on the same data; the code may have moved on."""
        return self.key() == other.key()

    def key(self) -> tuple[str, int, str, str, str, str]:
        """Return what makes a training what it is."""
        origin = self.origin
        return (
            self.recipe.digest(),
            origin.seed,
            origin.data_hash,
            origin.split_hash,
            origin.embedding,
            origin.image_weights,
        )

    def text(self) -> str:
        """Return in a few words what is trained."""
        recipe, seed, data, split, embedding, weights = self.key()
        over = f", embedding {embedding}" if embedding else ""
        over += f", image weights {weights[:12]}" if weights else ""
        return f"{self.recipe.name} ({recipe}), seed {seed}, data {data}, split {split}{over}"


class Epoch(Settings):
    """What one epoch measured."""

    number: int = Field(description="from 0")
    seconds: float = Field(description="since the training began, validation included [s]")
    measures: dict[str, float] = Field(description="by name, train/... and validation/...")


class Metrics(Settings):
    """What a training measured."""

    best_epoch: int = Field(description="the checkpoint is from it")
    best: dict[str, float] = Field(description="measures of that epoch")
    seconds: float = Field(description="training and validation, all sessions [s]")
    seconds_to_best: float = Field(description="until the best epoch was validated [s]")
    samples_per_s: float = Field(description="training steps alone [1/s]")
    waiting: float = Field(description="part of the training steps' time that data took [1]")
    epochs: tuple[Epoch, ...] = ()


class RunFolder:
    """The folder of one training; a process (of several, the first) holds it while it trains.

    Args:
        path: it; new, or of the same training, which then goes on.
        manifest: what to train.

    Raises:
        ConfigError: the folder is that of another training, or in use.
    """

    def __init__(self, path: Path, manifest: RunManifest) -> None:
        self.path = path.expanduser()
        self.manifest = manifest
        self._lock = -1

    def __enter__(self) -> Self:
        if processes()[1] > 0:
            self._follow()
            return self
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._begin()
        except BlockingIOError as error:
            os.close(self._lock)
            raise ConfigError(
                f"{self.path}: another process trains here; give another --out"
            ) from error
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def finished(self) -> bool:
        """Whether the training has ended."""
        return self.manifest.status == "finished"

    @property
    def checkpoint(self) -> Path:
        """Folder of the best checkpoint."""
        return self.path / CHECKPOINT

    @property
    def resume(self) -> Path:
        """State to go on from: Lightning's, read as data only."""
        return self.path / RESUME / "last.ckpt"

    def finish(self, metrics: Metrics, when: str) -> None:
        """Write what was measured, then that the training has ended."""
        write_json(self.path / METRICS, metrics)
        self.manifest = self.manifest.model_copy(update={"status": "finished", "finished": when})
        write_json(self.path / RUN, self.manifest)
        self.resume.unlink(missing_ok=True)

    def _follow(self) -> None:
        """Of several processes only the first writes; the others look whether it has to."""
        if (self.path / RUN).is_file():
            before = read_manifest(self.path)
            if before.same_training(self.manifest):
                self.manifest = before

    def _begin(self) -> None:
        if (self.path / RUN).is_file():
            before = read_manifest(self.path)
            if not before.same_training(self.manifest):
                raise ConfigError(
                    f"{self.path} holds another training: expected {self.manifest.text()}, got "
                    f"{before.text()}: give another --out"
                )
            self.manifest = before
            return
        text = yaml.safe_dump(self.manifest.recipe.model_dump(mode="json"), sort_keys=False)
        write_durably(self.path / RECIPE, text.encode())
        write_json(self.path / RUN, self.manifest)


def write_json(path: Path, value: Settings) -> None:
    """Write settings as indented JSON, whole or not at all."""
    write_durably(path, (value.model_dump_json(indent=2) + "\n").encode())


def read_manifest(folder: Path) -> RunManifest:
    """Return what a training was started with.

    Raises:
        ModelError: the folder is not that of a training.
    """
    return _read(folder / RUN, RunManifest)


def read_metrics(folder: Path) -> Metrics:
    """Return what a finished training measured.

    Raises:
        ModelError: the folder is not that of a finished training.
    """
    return _read(folder / METRICS, Metrics)


def _read(path: Path, model: type[S]) -> S:
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelError(
            f"expected a training's {path.name} at {path}: {error.strerror}"
        ) from error
    except ValidationError as error:
        raise ModelError(f"{path}: {explain(error)}") from error
