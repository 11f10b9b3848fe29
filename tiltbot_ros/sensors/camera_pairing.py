"""Which sets of colour and depth frames are good, and what was lost between them."""

from tiltbot_ros.sensors.cameras import Tally

_RESTART_MS = 1000.0
_SLACK_MS = 1.0


class FrameJudge:
    """Judges frame sets one by one, by the frames' numbers and times.

    librealsense hands a set on whenever one of its two frames is new, with the
    last one of the other stream: the same colour frame comes with an older and
    then with its own depth frame. A set is good when its depth frame was taken
    within half a period of its colour frame, and that colour frame was in no
    good set before.

    Args:
        rate_hz: of the streams [Hz].
        tally: where losses are counted.
    """

    def __init__(self, *, rate_hz: float, tally: Tally) -> None:
        self._near_ms = 500.0 / rate_hz + _SLACK_MS
        self._tally = tally
        self._number: int | None = None
        self._color_ms = 0.0
        self._matched = True

    def judge(self, *, number: int, color_ms: float, depth_ms: float | None) -> bool:
        """Return whether a set is good.

        Args:
            number: of the colour frame, counted by the device.
            color_ms: when the colour frame was taken, on the device's clock [ms].
            depth_ms: when the depth frame was taken, on the same clock [ms]; None when
                only colour is streamed.
        """
        if number != self._number:
            if self._is_disordered(number, color_ms):
                self._tally.disordered += 1
                return False
            self._begin(number, color_ms)
        near = depth_ms is None or abs(depth_ms - color_ms) <= self._near_ms
        if self._matched or not near:
            return False
        self._matched = True
        return True

    def _is_disordered(self, number: int, color_ms: float) -> bool:
        """Tell a frame that was overtaken from the first of a counter that began anew."""
        if self._number is None or number > self._number:
            return False
        return 0.0 <= self._color_ms - color_ms < _RESTART_MS

    def _begin(self, number: int, color_ms: float) -> None:
        tally = self._tally
        tally.seen += 1
        tally.unmatched += not self._matched
        if self._number is not None and number > self._number:
            tally.dropped += number - self._number - 1
        self._number, self._color_ms, self._matched = number, color_ms, False
