"""Coloured noise that is a pure function of seed, stream and absolute time.

White noise comes in blocks from a counter-based generator (Philox), so block
`j` can be made at any time without the blocks before it. Its colour comes from
a finite impulse response by overlap-save: block `j` needs white blocks `j - 1`
and `j` alone. However a stream is cut into reads, the samples are the same.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import fft

BLOCK = 4096
"""Frames in a block."""


def generator(seed: int, stream: int, counter: int) -> np.random.Generator:
    """Return the generator of (seed, stream) at a counter: the same for the same numbers."""
    return np.random.Generator(np.random.Philox(key=[seed, stream], counter=[0, 0, 0, counter]))


class ColouredNoise:
    """A stream of noise with one row per channel."""

    def __init__(
        self, responses: NDArray[np.float32], *, seed: int, stream: int, independent: bool
    ) -> None:
        """Shape white noise of unit deviation by impulse responses.

        Args:
            responses: (channels, taps) float32, at most BLOCK + 1 taps.
            seed: key of the stream.
            stream: number of the stream under that seed.
            independent: every channel has its own white noise; otherwise all
                hear the same source.
        """
        self._channels = len(responses)
        self._sources = self._channels if independent else 1
        self._spectrum = fft.rfft(responses.astype(np.float32), 2 * BLOCK, axis=1)
        self._seed = seed
        self._stream = stream
        self._index = -1
        self._block = np.zeros((self._channels, BLOCK), np.float32)
        self._white: dict[int, NDArray[np.float32]] = {}

    def read(self, first: int, count: int) -> NDArray[np.float32]:
        """Return frames [first, first + count) as (channels, count) float32."""
        pieces = []
        frame, end = first, first + count
        while frame < end:
            index, offset = divmod(frame, BLOCK)
            stop = min(BLOCK, offset + end - frame)
            pieces.append(self._get(index)[:, offset:stop])
            frame += stop - offset
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)

    def _get(self, index: int) -> NDArray[np.float32]:
        if index != self._index:
            white = np.concatenate([self._white_block(index - 1), self._white_block(index)], axis=1)
            spectrum = fft.rfft(white, axis=1) * self._spectrum
            self._block = fft.irfft(spectrum, 2 * BLOCK, axis=1)[:, BLOCK:].astype(np.float32)
            self._index = index
            self._white = {index: self._white[index]}
        return self._block

    def _white_block(self, index: int) -> NDArray[np.float32]:
        if index not in self._white:
            rng = generator(self._seed, self._stream, index + 1)
            self._white[index] = rng.standard_normal((self._sources, BLOCK), dtype=np.float32)
        return self._white[index]
