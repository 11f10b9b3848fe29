"""`episodes check`: judge every bag again from its messages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.progress import track

from tiltbot_ros.commands.output import print_json, remarks, screen
from tiltbot_ros.commands.places import episodes_at
from tiltbot_ros.episodes.constant import check_metadata
from tiltbot_ros.episodes.contacts import read_contact
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.tilts import read_tilt
from tiltbot_ros.errors import TiltbotError
from tiltbot_ros.wording import counted

_SHOWN = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedEpisode:
    """What was found out about one episode.

    Attributes:
        id: of the episode.
        path: its directory.
        readable: size, checksum and every message are as they should be.
        clean: today's verdict; null: not readable.
        problems: of today's verdict, or why it cannot be read.
        stored_clean: the recorder's verdict; null: not readable.
        stored_problems: of the recorder's verdict.
        agrees: both verdicts have the same problems.
        contradictions: what episode.json says and the bag does not.
    """

    id: str
    path: Path
    readable: bool
    clean: bool | None
    problems: tuple[str, ...]
    stored_clean: bool | None = None
    stored_problems: tuple[str, ...] = ()
    agrees: bool | None = None
    contradictions: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Readable, clean, and told so by episode.json, too."""
        return self.clean is True and self.agrees is True and not self.contradictions


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckReport:
    """What `episodes check --json` prints.

    Attributes:
        ok: nothing is wrong with any of them.
        checked: number of episodes.
        clean, flagged, unreadable: how many are so today.
        disagreeing: of how many episode.json tells otherwise.
        episodes: each of them.
    """

    ok: bool
    checked: int
    clean: int
    flagged: int
    unreadable: int
    disagreeing: int
    episodes: tuple[CheckedEpisode, ...]


def check_episode(path: Path) -> CheckedEpisode:
    """Judge one episode from its bag; what is wrong with it is in the answer."""
    try:
        episode = Episode.open(path)
        check_metadata(path, messages=sum(map(len, episode.messages.values())))
        verdict = episode.check()
        contradictions = tuple(_contradictions(episode))
    except (TiltbotError, OSError) as error:
        return CheckedEpisode(
            id=path.resolve().name,
            path=path.resolve(),
            readable=False,
            clean=None,
            problems=(str(error),),
        )
    stored = episode.facts.verdict
    return CheckedEpisode(
        id=path.resolve().name,
        path=path.resolve(),
        readable=True,
        clean=verdict.clean,
        problems=verdict.problems,
        stored_clean=stored.clean,
        stored_problems=stored.problems,
        agrees=verdict.problems == stored.problems,
        contradictions=contradictions,
    )


def _contradictions(episode: Episode) -> Iterator[str]:
    """Compare what episode.json says with the messages of the bag."""
    facts = episode.facts
    name = episode.path.resolve().name
    if facts.id != name:
        yield f"it is of {facts.id}, in the directory {name}"
    count = sum(len(messages) for messages in episode.messages.values())
    if facts.messages != count:
        yield f"{facts.messages} messages, the bag has {count}"
    for topic in episode.constant.topics:
        messages = [message.data for message in episode.messages.get(topic.name, ())]
        if topic.is_contact and messages:
            heard = {(c.sample, c.stamp_ns) for c in map(read_contact, messages)}
            if (facts.contact.sample, facts.contact.stamp_ns) not in heard:
                yield f"a contact at frame {facts.contact.sample} that is not on {topic.name}"
        if topic.is_tilt:
            tilt = read_tilt(messages[0]) if messages else None
            if tilt != facts.tilt:
                yield f"another tilt than that on {topic.name}"


def check_at(path: Path, *, as_json: bool) -> int:
    """Check an episode or all of a folder, print what is wrong; 0: nothing is.

    Raises:
        EpisodeError: there is no such episode or folder.
    """
    paths = episodes_at(path)
    out = screen()

    def tell(text: str) -> None:
        if not as_json:
            out.print(text, markup=False)

    checked = []
    console = remarks()
    for one in track(
        paths,
        description="checking",
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ):
        result = check_episode(one)
        checked.append(result)
        _tell_problems(result, tell)
    report = CheckReport(
        ok=all(result.good for result in checked),
        checked=len(checked),
        clean=sum(result.clean is True for result in checked),
        flagged=sum(result.clean is False for result in checked),
        unreadable=sum(not result.readable for result in checked),
        disagreeing=sum(
            result.agrees is False or bool(result.contradictions) for result in checked
        ),
        episodes=tuple(checked),
    )
    if as_json:
        print_json(report)
    else:
        tell(_sum_up(report))
    return 0 if report.ok else 1


def _tell_problems(result: CheckedEpisode, tell: Callable[[str], None]) -> None:
    if not result.readable:
        tell(f"{result.id}  unreadable")
    elif not result.clean:
        tell(f"{result.id}  flagged")
    elif not result.good:
        tell(f"{result.id}  clean, but episode.json tells otherwise")
    for problem in result.problems[:_SHOWN]:
        tell(f"    {problem}")
    if len(result.problems) > _SHOWN:
        tell(f"    and {len(result.problems) - _SHOWN} more; --json tells all")
    if result.agrees is False and result.stored_problems:
        for problem in result.stored_problems:
            tell(f"    in episode.json: {problem}")
    elif result.agrees is False:
        tell("    in episode.json: clean")
    for contradiction in result.contradictions:
        tell(f"    in episode.json: {contradiction}")


def _sum_up(report: CheckReport) -> str:
    if not report.checked:
        return "no episodes there"
    if report.ok:
        return f"{counted(report.checked, 'episode')} checked: all clean"
    text = (
        f"{counted(report.checked, 'episode')} checked: {report.clean} clean, "
        f"{report.flagged} flagged, {report.unreadable} unreadable"
    )
    if report.disagreeing:
        text += f"; of {counted(report.disagreeing, 'episode')} episode.json tells otherwise"
    return text
