"""Import recordings: cut each into episodes, in the same data folder as a rig's."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from policy_ros.data.importers.journal import ImportedFolder, SourceReport
from policy_ros.data.importers.source import Described, Source
from policy_ros.data.importers.whole import take_whole
from tiltbot_ros.episodes import catalogue
from tiltbot_ros.episodes.offline import cut_messages
from tiltbot_ros.episodes.offline_session import Cut, CutOptions
from tiltbot_ros.episodes.writer import FinishedEpisode
from tiltbot_ros.errors import RecordingError, TiltbotError


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportOptions:
    """How recordings become episodes.

    Attributes:
        cut: detector, windows, limits, rig's name.
        whole: each recording is one interaction, nothing is segmented.
        told: take the contacts that the recordings tell, hear none.
        settings: digest of what else decides what comes out.
    """

    cut: CutOptions
    whole: bool = False
    told: bool = False
    settings: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What became of an import.

    Attributes:
        out: the data folder.
        sources: of each recording, in order; those imported before, too.
        before: how many of them had been imported before.
    """

    out: Path
    sources: tuple[SourceReport, ...]
    before: int

    @property
    def episodes(self) -> int:
        """Episodes of all recordings."""
        return sum(len(source.episodes) for source in self.sources)

    @property
    def clean(self) -> int:
        """Of them, the clean ones."""
        return sum(source.clean for source in self.sources)

    @property
    def failed(self) -> tuple[SourceReport, ...]:
        """Recordings that could not be read, or lost an episode on the way to disk."""
        return tuple(source for source in self.sources if source.problem or source.lost)


def import_sources(
    sources: Iterable[Source],
    out: Path,
    options: ImportOptions,
    *,
    tell: Callable[[SourceReport], None] = lambda _: None,
) -> ImportReport:
    """Import recordings into a data folder.

    One that cannot be read is told with its file and left out, whole; the
    others are imported. One that was imported before with the same options is
    not imported again, unless its files have changed. After a kill the same
    call goes on.

    Args:
        sources: the recordings.
        out: data folder, made when it does not exist.
        options: how they become episodes.
        tell: told of every recording.

    Raises:
        RecordingError: the data folder cannot be used, or the disk is full.
    """
    folder = ImportedFolder(out)
    reports: list[SourceReport] = []
    before = 0
    try:
        for source in sources:
            key = _key(source, options)
            report = folder.done(key)
            if report is not None:
                before += 1
            else:
                report = _import(source, folder, options, key)
            reports.append(report)
            tell(report)
    finally:
        folder.close()
    return ImportReport(out=out, sources=tuple(reports), before=before)


def _import(
    source: Source, folder: ImportedFolder, options: ImportOptions, key: str
) -> SourceReport:
    described = Described(topics=())
    try:
        described = source.describe()
        place = folder.begin()
        cut = _cut(source, described, place, options)
        finished = [outcome for outcome in cut.outcomes if isinstance(outcome, FinishedEpisode)]
        for episode in finished:
            catalogue.relabel(place, episode.facts.id, labels=described.labels)
    except RecordingError:
        folder.abandon()
        raise
    except (TiltbotError, OSError) as error:
        folder.abandon()
        return SourceReport(
            name=source.name,
            key=key,
            remarks=described.remarks,
            problem=_told(source, error),
        )
    report = SourceReport(
        name=source.name,
        key=key,
        episodes=tuple(episode.facts.id for episode in finished),
        clean=sum(episode.facts.verdict.clean for episode in finished),
        contacts=len(cut.contacts),
        lost=len(cut.outcomes) - len(finished),
        seconds=cut.seconds,
        remarks=described.remarks,
    )
    if report.lost:
        folder.abandon()
        reason = next(o.reason for o in cut.outcomes if not isinstance(o, FinishedEpisode))
        return report.model_copy(update={"episodes": (), "clean": 0, "problem": reason})
    folder.finish(report)
    return report


def _told(source: Source, error: TiltbotError | OSError) -> str:
    """Return what went wrong, with the recording's path if the text does not have it."""
    text = str(error)
    place = str(source.paths[0])
    return text if place in text else f"{place}: {text}"


def _cut(source: Source, described: Described, place: Path, options: ImportOptions) -> Cut:
    if options.whole:
        return take_whole(
            source.messages(), described, place, options.cut, name=source.name, told=options.told
        )
    return cut_messages(
        source.messages(),
        described.topics,
        place,
        options.cut,
        name=source.name,
        # An object that the caller names holds for all, whatever the recordings say.
        objects=() if options.cut.object else described.objects,
        told=options.told,
    )


def _key(source: Source, options: ImportOptions) -> str:
    """Return a hash of what decides which episodes come of a recording."""
    text = hashlib.sha256()
    cut = options.cut
    for part in (
        source.name,
        str(options.whole),
        str(options.told),
        options.settings,
        cut.object,
        cut.rig,
        str(cut.max_tilt_rad),
        cut.detector.digest(),
        cut.recorder.digest(),
        cut.limits.digest(),
    ):
        text.update(part.encode() + b"\0")
    for path in source.paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            state = file.stat() if file.exists() else None
            size, time = (state.st_size, state.st_mtime_ns) if state else (0, 0)
            text.update(f"{file.name} {size} {time}\0".encode())
    return text.hexdigest()[:16]
