"""Write pictures as an MP4 file, frame by frame."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, cast

import av
import numpy as np
import numpy.typing as npt

from tiltbot_ros.errors import FormatError

Codec = Literal["h264", "libsvtav1"]

_ENCODERS = {"h264": "libx264", "libsvtav1": "libsvtav1"}
CANONICAL = {"h264": "h264", "libsvtav1": "av1"}
"""What a file says of its codec."""
PIXELS = "yuv420p"
KEY_EVERY = 2
"""A key frame every so many frames, as LeRobot has it: random access costs two frames."""


class VideoFile:
    """An MP4 file that is being written; frame n is shown at n / fps.

    Args:
        path: of the file.
        codec: of the pictures.
        fps: frames per second [Hz].
        height, width: of the pictures [pixels].
        crf: constant rate factor: smaller is better and larger.
    """

    def __init__(
        self, path: Path, *, codec: Codec, fps: int, height: int, width: int, crf: int
    ) -> None:
        if height % 2 or width % 2:
            raise FormatError(
                f"expected pictures of even height and width for {PIXELS}, got {height} x {width}"
            )
        options = {"crf": str(crf), "g": str(KEY_EVERY)}
        if codec == "h264":
            # Without B-frames the first frame is at 0 for every player.
            options |= {"preset": "veryfast", "bf": "0", "threads": "1"}
        else:
            options |= {"preset": "10", "svtav1-params": "lp=1"}
        self.frames = 0
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        # The library types a stream by the codec, whose name is not known here.
        self._stream = cast(
            "Any", self._container.add_stream(_ENCODERS[codec], rate=fps, options=options)
        )
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = PIXELS
        self._tick = Fraction(1, fps)

    def append(self, picture: npt.NDArray[np.uint8]) -> None:
        """Write a picture (height, width, 3), RGB."""
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.pts = self.frames
        frame.time_base = self._tick
        self.frames += 1
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """End the file."""
        try:
            if self.frames:
                self._container.mux(self._stream.encode())
        finally:
            self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
