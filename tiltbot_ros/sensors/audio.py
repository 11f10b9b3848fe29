"""What a block of contact-microphone sound is, from source to subscriber."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True, slots=True)
class AudioFormat:
    """Rate and shape of a sound stream.

    Attributes:
        sample_rate: frames per second [Hz].
        channels: samples in a frame.
        bits: significant bits of a sample, 16 or 24.
    """

    sample_rate: int
    channels: int
    bits: int

    @property
    def dtype(self) -> np.dtype[np.int16] | np.dtype[np.int32]:
        """The sample type: int16 for 16 bits, int32 (right-aligned) for 24 bits."""
        return np.dtype(np.int16) if self.bits == 16 else np.dtype(np.int32)

    @property
    def full_scale(self) -> int:
        """The magnitude of digital full scale, 2^(bits - 1)."""
        return 1 << (self.bits - 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class AudioBlock:
    """One block of sound.

    Attributes:
        stamp_ns: acquisition time of the first frame (ROS clock) [ns].
        first_sample: running index of the first frame since the device opened.
        samples: (frames, channels) int16 or int32, C-contiguous.
        xruns: overruns that the device has reported since it was opened.
    """

    stamp_ns: int
    first_sample: int
    samples: npt.NDArray[np.int16] | npt.NDArray[np.int32]
    xruns: int
