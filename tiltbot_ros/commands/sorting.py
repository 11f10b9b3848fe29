"""`episodes keep`, `discard`, `restore` and `relabel`: sort what was recorded."""

from dataclasses import dataclass
from typing import Annotated

from tiltbot_ros.commands.arguments import NAME, TEXT, Flag, Labels, Some, given, pair
from tiltbot_ros.commands.output import screen
from tiltbot_ros.commands.places import data_folder, split_episode
from tiltbot_ros.commands.usage import UsageError
from tiltbot_ros.episodes import catalogue
from tiltbot_ros.wording import counted


@dataclass(frozen=True, kw_only=True)
class Keep:
    """Mark episodes as wanted."""

    episodes: Some
    """paths of episodes, such as data/ep_000042; - reads them from standard input"""

    def run(self) -> int:
        """Mark them."""
        for path in given(self.episodes):
            folder, episode_id = split_episode(path)
            catalogue.keep(folder, episode_id)
            screen().print(f"{episode_id}: kept")
        return 0


@dataclass(frozen=True, kw_only=True)
class Discard:
    """Move episodes to the trash of their folder; `restore` brings them back."""

    episodes: Some
    """paths of episodes, such as data/ep_000042; - reads them from standard input"""

    def run(self) -> int:
        """Move them."""
        for path in given(self.episodes):
            folder, episode_id = split_episode(path)
            target = catalogue.discard(folder, episode_id)
            screen().print(f"{episode_id}: moved to {target}", markup=False)
        return 0


@dataclass(frozen=True, kw_only=True)
class Restore:
    """Bring discarded episodes back from the trash."""

    episodes: Some
    """paths of episodes as they were, such as data/ep_000042, or as they are in the trash"""

    def run(self) -> int:
        """Move them back."""
        for path in given(self.episodes):
            folder, episode_id = split_episode(path)
            target = catalogue.restore(data_folder(folder), episode_id)
            screen().print(f"{episode_id}: back in {target.parent}", markup=False)
        return 0


@dataclass(frozen=True, kw_only=True)
class Relabel:
    """Give episodes another object, outcome or labels of your own.

    Many at once: `tiltbot episodes find data --max-level -40 | tiltbot episodes
    relabel - --outcome faint`
    """

    episodes: Some
    """paths of episodes, such as data/ep_000042; - reads them from standard input"""
    object: Annotated[str, NAME] = ""
    """what was in the tray"""
    outcome: Annotated[str, TEXT] = ""
    """what came of it"""
    label: Labels = ()
    """a label of your own; may be repeated"""
    dry_run: Flag = False
    """tell what would be written, write nothing"""

    def run(self) -> int:
        """Change them."""
        labels = dict(pair(text) for text in self.label)
        if not (self.object or self.outcome or labels):
            raise UsageError("expected --object, --outcome or --label, got none of them")
        console = screen()
        paths = given(self.episodes)
        for path in paths:
            folder, episode_id = split_episode(path)
            facts = catalogue.relabel(
                folder,
                episode_id,
                object_name=self.object,
                outcome=self.outcome,
                labels=labels,
                dry=self.dry_run,
            )
            told = [f"object {facts.object or '-'}", f"outcome {facts.outcome or '-'}"]
            told += [f"{name} = {value}" for name, value in facts.labels.items()]
            console.print(f"{episode_id}: {', '.join(told)}", markup=False)
        if self.dry_run:
            console.print(f"{counted(len(paths), 'episode')} left as they are: --dry-run")
        return 0
