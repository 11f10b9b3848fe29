"""When a collection of one object starts, goes on and ends. No ROS in it."""

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from tiltbot_ros.errors import ConfigError
from tiltbot_ros.settings import Settings


class CollectSettings(Settings):
    """How the collect node prepares and paces a collection."""

    preparation: Literal["world", "operator", "none"] = Field(
        "world",
        description="who empties the tray and places the object: 'world' (the simulated one does), "
        "'operator' (a person, who then calls ~/confirm), or 'none' (nobody: what is there stays)",
    )
    seed: int = Field(0, ge=0, description="seed of the random tilts")
    gate_timeout_s: float = Field(
        30.0, gt=0.0, le=600.0, description="longest wait for every stream to flow [s]"
    )
    settle_s: float = Field(
        2.0,
        ge=0.0,
        le=60.0,
        description="pause between placing the object and the first tilt, into which the first "
        "episode reaches back [s]",
    )
    drain_timeout_s: float = Field(
        15.0, gt=0.0, le=600.0, description="longest wait for the last episodes to be written [s]"
    )
    max_silent_tilts: int = Field(
        20,
        ge=1,
        le=10_000,
        description="tilts in a row without an episode after which the collection is given up",
    )
    max_failed_tilts: int = Field(
        3,
        ge=1,
        le=1000,
        description="tilts in a row that fail after which the collection is given up",
    )


class AutostartSettings(Settings):
    """What the collect node collects by itself, without being asked."""

    objects: list[str] = Field(
        [], description="objects to collect, one after another; empty: wait for goals"
    )
    episodes: int = Field(
        0, ge=0, le=1_000_000, description="clean episodes of each object; 0: no such limit"
    )
    minutes: float = Field(
        0.0, ge=0.0, le=100_000.0, description="time for each object [min]; 0: no such limit"
    )

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.objects and not (self.episodes or self.minutes):
            raise ValueError("expected episodes or minutes above 0 beside objects, got neither")
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """When a collection has enough.

    Attributes:
        episodes: clean episodes; 0: no such limit.
        minutes: time of tilting; 0: no such limit.
    """

    episodes: int
    minutes: float


class Collection:
    """The books of one collection.

    Args:
        target: when it has enough.
        settings: when it is given up.

    Raises:
        ConfigError: the target has no limit at all, or a negative one.
    """

    def __init__(self, target: Target, settings: CollectSettings) -> None:
        if not (target.episodes > 0 or target.minutes > 0) or not 0 <= target.minutes < float(
            "inf"
        ):
            raise ConfigError(
                f"expected a number of episodes or of minutes above 0, got {target.episodes} "
                f"episodes and {target.minutes:g} minutes"
            )
        self._target = target
        self._settings = settings
        self._started_s: float | None = None
        self._silent = 0
        self._failed = 0
        self.clean = 0
        self.flagged = 0
        self.tilts = 0

    def start(self, now_s: float) -> None:
        """Begin to count the time (monotonic) [s]."""
        self._started_s = now_s

    def on_tilt(self, *, success: bool) -> None:
        """Count a tilt that has ended."""
        self.tilts += 1
        self._silent += 1
        self._failed = 0 if success else self._failed + 1

    def on_episode(self, *, clean: bool) -> None:
        """Count an episode that is on disk."""
        self._silent = 0
        if clean:
            self.clean += 1
        else:
            self.flagged += 1

    def enough(self, now_s: float) -> Literal["", "episodes", "minutes"]:
        """Return which limit is reached, if any."""
        if self._target.episodes and self.clean >= self._target.episodes:
            return "episodes"
        if self._target.minutes and self.elapsed_s(now_s) >= self._target.minutes * 60.0:
            return "minutes"
        return ""

    def hopeless(self) -> str:
        """Return why going on makes no sense, empty when it does."""
        if self._failed >= self._settings.max_failed_tilts:
            return f"{self._failed} tilts in a row failed"
        if self._silent >= self._settings.max_silent_tilts:
            return (
                f"{self._silent} tilts in a row gave no episode: is the object heavy enough to be "
                f"heard, and are the microphones on the tray?"
            )
        return ""

    def elapsed_s(self, now_s: float) -> float:
        """Time since the start [s]."""
        return 0.0 if self._started_s is None else now_s - self._started_s

    def episodes_per_hour(self, now_s: float) -> float:
        """Clean episodes an hour so far; NaN before the first."""
        elapsed = self.elapsed_s(now_s)
        return self.clean / elapsed * 3600.0 if self.clean and elapsed > 0 else float("nan")

    def time_left_s(self, now_s: float) -> float:
        """Time until a limit is reached at this rate [s]; NaN when nothing is known yet."""
        elapsed = self.elapsed_s(now_s)
        left = []
        if self._target.minutes:
            left.append(self._target.minutes * 60.0 - elapsed)
        if self._target.episodes and self.clean:
            left.append((self._target.episodes - self.clean) * elapsed / self.clean)
        return max(0.0, min(left)) if left else float("nan")
