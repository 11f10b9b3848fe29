"""Leaves frames out of a stream until it has the rate that is wanted."""

_NS = 1_000_000_000


class Decimator:
    """Chooses, of a faster stream, the frames nearest to an even grid.

    It goes by the frames' stamps, so that late arrivals change nothing. A
    stream of 15 Hz gives 6 Hz by leaving out one and two frames in turn.

    Args:
        rate_hz: wanted frames per second [Hz].
        stream_hz: frames per second of the stream [Hz]; a slower one is passed whole.
    """

    def __init__(self, *, rate_hz: float, stream_hz: float) -> None:
        self._period_ns = round(_NS / rate_hz)
        self._half_ns = round(_NS / stream_hz / 2.0)
        self._due_ns: int | None = None

    def wants(self, stamp_ns: int) -> bool:
        """Whether the frame of this stamp is one of the wanted [ns]."""
        due_ns = self._due_ns
        # After a hole, or a step of the clock, the grid begins anew.
        if due_ns is None or abs(stamp_ns - due_ns) > 2 * self._period_ns:
            due_ns = stamp_ns
        if stamp_ns + self._half_ns < due_ns:
            return False
        behind_ns = stamp_ns - due_ns
        self._due_ns = (stamp_ns if behind_ns > self._half_ns else due_ns) + self._period_ns
        return True
