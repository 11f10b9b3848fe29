"""Contacts to windows: which contacts become episodes."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.settings import Settings

Policy = Literal["first", "strongest", "all"]


class SegmenterSettings(Settings):
    """How long an episode is, and what happens to contacts close to each other.

    The default, 2 s before and 2 s after the contact without overlap, is that
    of "Swoosh! Rattle! Thump!" (Gandhi et al., 2020).
    """

    before_s: float = Field(
        2.0, gt=0.0, le=60.0, description="Start of the window before the contact [s]"
    )
    after_s: float = Field(
        2.0, gt=0.0, le=60.0, description="End of the window after the contact [s]"
    )
    policy: Policy = Field(
        "first",
        description="first: windows never overlap, the earlier contact wins; "
        "strongest: they never overlap, the loudest of the contacts within after_s of the "
        "first wins; all: every contact has its window",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The time of one episode.

    Attributes:
        contact: the contact it is cut around.
        start_ns, end_ns: first and last stamp that belong to it [ns].
        suppressed: contacts that had no window of their own because of this one.
    """

    contact: HeardContact
    start_ns: int
    end_ns: int
    suppressed: int


class Segmenter:
    """Contacts in time order in, windows out, once the watermark has passed their end.

    - `first`: a contact whose window would overlap the last one is suppressed.
    - `strongest`: the first contact opens a contest of `after_s`; the loudest
      contact in it gets the window, the others are suppressed, and so is what
      would overlap the last window.
    - `all`: nothing is suppressed, windows may overlap.
    """

    def __init__(self, settings: SegmenterSettings) -> None:
        self.settings = settings
        self.suppressed = 0
        self._before_ns = round(settings.before_s * 1e9)
        self._after_ns = round(settings.after_s * 1e9)
        self._open: list[Window] = []
        self._contest_end_ns: int | None = None
        self._last_end_ns: int | None = None

    @property
    def open(self) -> tuple[Window, ...]:
        """Windows whose end the watermark has not passed."""
        return tuple(self._open)

    def add(self, contact: HeardContact) -> None:
        """Take the next contact."""
        start_ns = contact.stamp_ns - self._before_ns
        end_ns = contact.stamp_ns + self._after_ns
        if self.settings.policy != "all" and self._last_end_ns is not None:
            latest = self._open[-1] if self._open else None
            if (
                latest is not None
                and self._contest_end_ns is not None
                and contact.stamp_ns <= self._contest_end_ns
            ):
                louder = contact.level > latest.contact.level
                self._suppress(latest)
                if louder:
                    self._replace(contact, start_ns, end_ns)
                return
            if start_ns < self._last_end_ns:
                self._suppress(latest)
                return
        self._open.append(Window(contact=contact, start_ns=start_ns, end_ns=end_ns, suppressed=0))
        self._last_end_ns = end_ns
        if self.settings.policy == "strongest":
            self._contest_end_ns = end_ns

    def advance(self, watermark_ns: int) -> list[Window]:
        """Return the windows that ended before the watermark.

        Args:
            watermark_ns: every contact up to this time has been added [ns].
        """
        ended = [window for window in self._open if window.end_ns < watermark_ns]
        self._open = [window for window in self._open if window.end_ns >= watermark_ns]
        return ended

    def reset(self) -> list[Window]:
        """Forget all time, as after a clock jump; return the windows that are lost by it."""
        lost, self._open = self._open, []
        self._contest_end_ns = self._last_end_ns = None
        return lost

    def _suppress(self, latest: Window | None) -> None:
        self.suppressed += 1
        if latest is not None:
            self._open[-1] = Window(
                contact=latest.contact,
                start_ns=latest.start_ns,
                end_ns=latest.end_ns,
                suppressed=latest.suppressed + 1,
            )

    def _replace(self, contact: HeardContact, start_ns: int, end_ns: int) -> None:
        beaten = self._open[-1]
        self._open[-1] = Window(
            contact=contact, start_ns=start_ns, end_ns=end_ns, suppressed=beaten.suppressed
        )
        self._last_end_ns = end_ns
