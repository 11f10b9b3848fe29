"""What a person said over a session: which object was in the tray when, and when to pause."""

from collections import deque

_KEPT = 1000


class History:
    """The objects and the pauses of a session, by time on the ROS clock [ns]."""

    def __init__(self) -> None:
        self._objects: deque[tuple[int, str]] = deque(maxlen=_KEPT)
        self._pauses: deque[tuple[int, int]] = deque(maxlen=_KEPT)
        self._paused_since_ns: int | None = None

    @property
    def object(self) -> str:
        """What is in the tray now; empty: nothing that has a name."""
        return self._objects[-1][1] if self._objects else ""

    @property
    def paused(self) -> bool:
        """True between `pause` and `resume`."""
        return self._paused_since_ns is not None

    def set_object(self, name: str, now_ns: int) -> None:
        """Say what is in the tray from now on; empty: nothing that has a name."""
        self._objects.append((now_ns, name))

    def object_at(self, t_ns: int) -> str:
        """Return what was in the tray; empty: nothing that has a name."""
        earlier = [name for since_ns, name in self._objects if since_ns <= t_ns]
        return earlier[-1] if earlier else ""

    def pause(self, now_ns: int) -> None:
        """Begin a pause; within one, this does nothing."""
        if self._paused_since_ns is None:
            self._paused_since_ns = now_ns

    def resume(self, now_ns: int) -> None:
        """End a pause."""
        if self._paused_since_ns is not None:
            self._pauses.append((self._paused_since_ns, now_ns))
            self._paused_since_ns = None

    def paused_since(self, t_ns: int) -> bool:
        """Say whether a pause lasts, or lasted after t."""
        return self.paused or any(end_ns > t_ns for _, end_ns in self._pauses)

    def overlaps_pause(self, start_ns: int, end_ns: int) -> bool:
        """Say whether a window reaches into a pause."""
        if self._paused_since_ns is not None and self._paused_since_ns <= end_ns:
            return True
        return any(since <= end_ns and start_ns <= until for since, until in self._pauses)

    def forget_after(self, t_ns: int, latest_ns: int) -> None:
        """Let go what belongs to the old time: the clock was set back to t.

        The object stays, from the beginning of time on.

        Args:
            t_ns: the time now [ns].
            latest_ns: pauses that ended later are of the old time [ns].
        """
        if self._objects:
            name = self.object
            self._objects.clear()
            self._objects.append((0, name))
        self._pauses = deque((p for p in self._pauses if p[1] <= latest_ns), maxlen=_KEPT)
        if self._paused_since_ns is not None:
            self._paused_since_ns = min(self._paused_since_ns, t_ns)
