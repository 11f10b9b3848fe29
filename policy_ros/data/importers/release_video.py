"""The pictures of the Tilt-Bot release: a video, and the time stamp of each of its frames."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from policy_ros.data.importers.pickles import load_pickle
from policy_ros.data.importers.release_names import stamp_ns
from tiltbot_ros.errors import FormatError

_FRAME = re.compile(r"file(\d{7,})\.\w+")


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleasePictures:
    """The pictures of one camera stream.

    Attributes:
        path: of the video, or of the folder of picture files.
        numbers: (n,) of the frames in the video, from 0, ascending; -1: a file of its own.
        stamps_ns: (n,) int64, ascending [ns].
        names: of each picture.
    """

    path: Path
    numbers: npt.NDArray[np.int64]
    stamps_ns: npt.NDArray[np.int64]
    names: tuple[str, ...]

    def pictures(self) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
        """Yield time stamp [ns] and pixels (height, width, 3), red green blue, in order.

        Raises:
            FormatError: the video is damaged, or shorter than its list of frames.
        """
        if self.path.is_dir():
            yield from self._files()
            return
        wanted = {
            int(number): int(stamp)
            for number, stamp in zip(self.numbers, self.stamps_ns, strict=True)
        }
        found = 0
        for number, pixels in enumerate(_decode(self.path)):
            if number in wanted:
                found += 1
                yield wanted[number], pixels
        if found < len(wanted):
            raise FormatError(
                f"{self.path}: expected the {len(wanted)} frames of correspondence.pkl, found "
                f"{found}: the video is truncated"
            )

    def _files(self) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
        for name, stamp in zip(self.names, self.stamps_ns, strict=True):
            picture = cv2.imread(str(self.path / name), cv2.IMREAD_COLOR)
            if picture is None:
                raise FormatError(f"{self.path / name}: expected a picture, got other bytes")
            yield int(stamp), np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def open_pictures(folder: Path) -> ReleasePictures | None:
    """Find the pictures of a stream; None when its folder is not there.

    Args:
        folder: `rgb` or `depth`, with `video.mp4` and `correspondence.pkl`, or
            picture files named by their time stamps as the release's own
            script unpacks them.

    Raises:
        FormatError: a file is missing, or not what it should be.
    """
    if not folder.is_dir():
        return None
    video, index = folder / "video.mp4", folder / "correspondence.pkl"
    if not video.is_file() and not index.is_file():
        return _unpacked(folder)
    for file in (video, index):
        if not file.is_file():
            raise FormatError(f"{file}: expected beside {folder.name}'s other file, found none")
    pairs = [_pair(entry, index) for entry in _entries(load_pickle(index), index)]
    pairs.sort()
    numbers = np.array([number for number, _, _ in pairs], np.int64)
    stamps = np.array([stamp for _, stamp, _ in pairs], np.int64)
    if (np.diff(numbers) <= 0).any() or (np.diff(stamps) < 0).any():
        raise FormatError(f"{index}: expected every frame once, with rising time stamps")
    return ReleasePictures(
        path=video, numbers=numbers, stamps_ns=stamps, names=tuple(name for _, _, name in pairs)
    )


def _unpacked(folder: Path) -> ReleasePictures:
    files = [path.name for path in folder.iterdir() if path.suffix in {".jpg", ".png"}]
    if not files:
        raise FormatError(
            f"{folder}: expected video.mp4 and correspondence.pkl, or pictures named by their "
            "time stamps, found neither"
        )
    order = sorted((stamp_ns(name, folder), name) for name in files)
    return ReleasePictures(
        path=folder,
        numbers=np.full(len(order), -1, np.int64),
        stamps_ns=np.array([stamp for stamp, _ in order], np.int64),
        names=tuple(name for _, name in order),
    )


def _entries(value: Any, index: Path) -> list[Any]:
    if not isinstance(value, list | tuple) or not value:
        raise FormatError(
            f"{index}: expected a list of (file name, time stamp), got {type(value).__name__}"
        )
    return list(value)


def _pair(entry: Any, index: Path) -> tuple[int, int, str]:
    if not isinstance(entry, list | tuple) or len(entry) < 2:
        raise FormatError(f"{index}: expected pairs of file name and time stamp")
    file, name = entry[0], entry[1]
    match = _FRAME.fullmatch(file) if isinstance(file, str) else None
    if match is None or not isinstance(name, str):
        raise FormatError(
            f"{index}: expected pairs such as ('file0000001.jpg', '2019-5-21-14-3-22-1.jpg'), "
            f"got {file!r:.60}"
        )
    # ffmpeg counts the files it writes from 1.
    return int(match[1]) - 1, stamp_ns(name, index), name


def _decode(path: Path) -> Iterator[npt.NDArray[np.uint8]]:
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise FormatError(f"{path}: expected a video, found a file without pictures")
            for frame in container.decode(container.streams.video[0]):
                yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    except (av.error.FFmpegError, ValueError) as error:
        raise FormatError(f"{path}: the video cannot be read: {error}") from error
