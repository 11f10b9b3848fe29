"""How far a data folder has come: the plan, and which batches are in it."""

import shutil
from pathlib import Path

from pydantic import ValidationError

from tiltbot_ros.episodes.folder import DataFolder, is_episode_name, sync_directory, write_durably
from tiltbot_ros.errors import ConfigError, RecordingError
from tiltbot_ros.generating.batch import BatchReport
from tiltbot_ros.generating.plan import Batch, Plan
from tiltbot_ros.settings import explain

FOLDER = ".generate"
_PLAN = "plan.json"
_REPORT = "report.json"


class GeneratedFolder:
    """A data folder that a plan fills.

    `.generate/plan.json` is the plan. A batch is made in
    `.generate/batch_00042/`, a data folder of its own whose numbers begin at
    the batch's. When it is whole, it gets a `report.json`; then its episodes
    move to the data folder by renaming, and last the report moves to
    `.generate/batch_00042.json`. Whatever is killed when: a batch with that
    file is done, one with a `report.json` only has to be moved on, any other
    is removed and made again.

    Args:
        path: new, or one that the same plan has begun to fill.
        plan: what is generated.

    Raises:
        ConfigError: it has episodes already, or another plan.
        RecordingError: another process writes to it, or it cannot be written to.
    """

    def __init__(self, path: Path, plan: Plan) -> None:
        self.path = path
        self.plan = plan
        self._own = path / FOLDER
        self._folder = DataFolder(path)
        try:
            self._begin()
            self._taken = sum(len(report.episodes) for report in self.reports())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the folder."""
        self._folder.close()

    def left(self) -> tuple[Batch, ...]:
        """Return the batches that are still to be made, after sweeping what a kill left.

        The first of every object come first: whoever stops early has as many of each.
        """
        batches = self.plan.batches()
        for batch in batches:
            if (self._own / batch.name / _REPORT).is_file():
                self.take(batch)
            else:
                shutil.rmtree(self._own / batch.name, ignore_errors=True)
        left = (batch for batch in batches if not self._done(batch).is_file())
        return tuple(sorted(left, key=lambda batch: (batch.first - 1) % self.plan.episodes))

    def reports(self) -> tuple[BatchReport, ...]:
        """Return what became of the batches that are done."""
        files = [self._done(batch) for batch in self.plan.batches()]
        return tuple(_read_report(file) for file in files if file.is_file())

    def workplace(self, batch: Batch) -> Path:
        """Return where a batch is made."""
        return self._own / batch.name

    def take(self, batch: Batch) -> None:
        """Move a finished batch's episodes into the data folder.

        Raises:
            RecordingError: its report cannot be read.
        """
        place = self.workplace(batch)
        if not (place / _REPORT).is_file():
            raise RecordingError(
                f"{place}: expected a batch that a worker has finished, found none: is the folder "
                f"on a file system that all computers of the cluster share?"
            )
        self._taken += len(_read_report(place / _REPORT).episodes)
        for episode in sorted(place.iterdir()):
            if is_episode_name(episode.name):
                episode.rename(self.path / episode.name)
        sync_directory(self.path)
        (place / _REPORT).rename(self._done(batch))
        sync_directory(self._own)
        shutil.rmtree(place)

    def made(self) -> int:
        """Return how many episodes are on disk, those of unfinished batches included."""
        under_way = (entry for place in self._own.glob("batch_*/") for entry in place.glob("ep_*"))
        return self._taken + sum(is_episode_name(entry.name) for entry in under_way)

    def _begin(self) -> None:
        file = self._own / _PLAN
        if file.is_file():
            self._compare(file)
            return
        if any(is_episode_name(entry.name) for entry in self.path.iterdir()):
            raise ConfigError(
                f"{self.path}: expected an empty folder, or one that `tiltbot generate` began, "
                f"but there are episodes of another origin: give another --out"
            )
        self._own.mkdir(exist_ok=True)
        # Whoever records into this folder later goes on behind the plan's numbers.
        self._folder.reserve(self.plan.total)
        write_durably(file, self.plan.model_dump_json(indent=2).encode() + b"\n")

    def _compare(self, file: Path) -> None:
        try:
            begun = Plan.model_validate_json(file.read_bytes())
        except ValidationError as error:
            raise ConfigError(
                f"{file}: not a plan of `tiltbot generate`: {explain(error)}"
            ) from error
        before, now = begun.model_dump(), self.plan.model_dump()
        changed = [
            f"{name} {before[name]!r}, now {now[name]!r}"
            for name in now
            if before[name] != now[name]
        ]
        if changed:
            raise ConfigError(
                f"{self.path}: expected the plan that this folder was begun with, but it had "
                f"{'; '.join(changed)}: go on with the same options, or give another --out"
            )

    def _done(self, batch: Batch) -> Path:
        return self._own / f"{batch.name}.json"


def seal(place: Path, report: BatchReport) -> None:
    """Say, durably, that the batch made in a place is whole."""
    write_durably(place / _REPORT, report.model_dump_json(indent=2).encode() + b"\n")


def _read_report(file: Path) -> BatchReport:
    try:
        return BatchReport.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise RecordingError(
            f"{file}: not the report of a batch: {explain(error)}: remove it, and the batch is "
            f"made again"
        ) from error
