"""Make the report of a data folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tiltbot_ros.episodes.catalogue import each_episode
from tiltbot_ros.errors import ReportError
from tiltbot_ros.reporting.rows import Row, choose, row_of
from tiltbot_ros.reporting.settings import ReportSettings
from tiltbot_ros.reporting.tables import by_object, page_table
from tiltbot_ros.reporting.target import target_at
from tiltbot_ros.reporting.workers import ChunkJob, MadeChunk, make_chunks


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeReport:
    """What was made.

    Attributes:
        page: the file to open.
        episodes: in the table.
        shown: of them with pictures and sound.
        unreadable: id and reason of those whose facts or bag cannot be read.
        page_bytes: size of the page [B].
        media_bytes: size of the files beside it [B].
    """

    page: Path
    episodes: int
    shown: int
    unreadable: tuple[tuple[str, str], ...]
    page_bytes: int
    media_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Chunk:
    """Rows whose media are made together."""

    object: str
    places: tuple[int, ...]
    first: bool


def make_report(
    folder: Path,
    out: Path,
    settings: ReportSettings,
    *,
    workers: int = 1,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> MadeReport:
    """Make the report of a data folder; an earlier one at the same place is replaced.

    Until the very end an earlier report stays as it was, whatever goes wrong.

    Args:
        folder: with episodes.
        out: a file named *.html that shall hold everything, or a folder for
            the page and the files of pictures and sound beside it.
        settings: what is shown.
        workers: processes that make pictures and sound.
        tell: told how many episodes of the galleries are done, and of how many.

    Raises:
        EpisodeError: there is no such folder.
        ReportError: there are no episodes, something else than a report is at
            that place, or it cannot be written.
    """
    rows = [row_of(entry) for entry in each_episode(folder)]
    if not rows:
        raise ReportError(f"{folder}: expected a folder with episodes, found none in it")
    chunks = _chunks(rows, settings)
    total = sum(len(chunk.places) for chunk in chunks)
    covers: dict[str, str] = {}
    unreadable = [(row.id, row.problems[0]) for row in rows if row.verdict == "unreadable"]
    try:
        target = target_at(out)
        jobs = [
            ChunkJob(
                number=number,
                paths=tuple(folder / rows[place].id for place in chunk.places),
                cover=chunk.first,
            )
            for number, chunk in enumerate(chunks)
        ]
        done = 0
        tell(done, total)

        def take(made: MadeChunk) -> None:
            nonlocal done
            target.add(made.number, made.block)
            unreadable.extend(made.problems)
            if made.cover:
                covers[chunks[made.number].object] = made.cover
            done += len(chunks[made.number].places)
            tell(done, total)

        make_chunks(jobs, settings, workers=workers, made=take)
        table = page_table(
            folder,
            rows,
            chunks=[target.chunk(number, chunk.places) for number, chunk in enumerate(chunks)],
            covers=covers,
            title=settings.title,
            note=_note(settings, shown=total, episodes=len(rows)),
        )
        page, media_bytes = target.finish(table)
        page_bytes = page.stat().st_size
    except OSError as error:
        raise ReportError(f"{out}: cannot be written: {error.strerror}") from error
    return MadeReport(
        page=page,
        episodes=len(rows),
        shown=total,
        unreadable=tuple(sorted(unreadable)),
        page_bytes=page_bytes,
        media_bytes=media_bytes,
    )


def _chunks(rows: Sequence[Row], settings: ReportSettings) -> list[_Chunk]:
    found = []
    for name, places in by_object(rows).items():
        chosen = choose(rows, places, settings.gallery)
        found += [
            _Chunk(object=name, places=chosen[at : at + settings.chunk_episodes], first=at == 0)
            for at in range(0, len(chosen), settings.chunk_episodes)
        ]
    return found


def _note(settings: ReportSettings, *, shown: int, episodes: int) -> str:
    if shown == 0:
        return "Made without galleries."
    which = "All episodes are" if shown == episodes else f"{shown} of {episodes} episodes are"
    heard = {
        "ogg": "the loudest microphone, lossy (Ogg Vorbis, 22 kHz) and louder than recorded",
        "flac": "the loudest microphone, lossless (FLAC) but for being louder than recorded",
        "none": "left out",
    }[settings.sound]
    return (
        f"{which} shown with pictures, up to {settings.gallery} of each object, spread over the "
        f"collection, up to a quarter of them flagged. Pictures are reduced JPEGs; spectrograms "
        f"show the mean power of all microphones; sound is {heard}. The bags have the rest."
    )
