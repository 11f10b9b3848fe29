"""One commander at a time."""

from tiltbot_ros.errors import CommandError


class Lease:
    """Who commands an arm: it is taken, kept by commanding, and lost by silence."""

    def __init__(self, silence_s: float) -> None:
        """Make a free one, lost after `silence_s` without a sign of life [s]."""
        self._silence_s = silence_s
        self._holder: str | None = None
        self._seen_s = 0.0

    def holder(self, now_s: float) -> str | None:
        """Return who has it at a moment of the monotonic clock [s], or None."""
        if self._holder is not None and now_s - self._seen_s > self._silence_s:
            self._holder = None
        return self._holder

    def take(self, commander: str, now_s: float) -> bool:
        """Take it, or keep it; return whether it changed hands.

        Raises:
            CommandError: somebody else has it.
        """
        holder = self.holder(now_s)
        if holder is not None and holder != commander:
            raise CommandError(
                f"expected a free arm, but '{holder}' commands it: stop that one, or wait "
                f"{self._silence_s:g} s after its last command, before '{commander}' commands"
            )
        self._holder, self._seen_s = commander, now_s
        return holder is None

    def seen(self, now_s: float) -> None:
        """Note a sign of life of the holder."""
        self._seen_s = now_s

    def give(self, commander: str) -> None:
        """Give it back; nothing happens when somebody else has it."""
        if self._holder == commander:
            self._holder = None
