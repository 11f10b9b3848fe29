"""Where the blocks of a sound lie, holes left open."""

from collections.abc import Sequence
from itertools import accumulate

from tiltbot_ros.episodes.cdr import AudioMessage

_LONGEST = 4
"""A sound with more holes than this, in its own lengths, is one whose count began anew."""


def frame_offsets(blocks: Sequence[AudioMessage]) -> tuple[list[int], int]:
    """Return where each block begins, and how long the whole is.

    Args:
        blocks: one or more, in order.

    Returns:
        Offsets from the first frame, and the length with holes [frames]. Where
        the device began to count anew, only the order of the blocks is known,
        and they follow each other.
    """
    lengths = [len(message.block.samples) for message in blocks]
    first = blocks[0].block.first_sample
    offsets = [message.block.first_sample - first for message in blocks]
    ends = [at + length for at, length in zip(offsets, lengths, strict=True)]
    if min(offsets) < 0 or max(ends) > _LONGEST * sum(lengths):
        ends = list(accumulate(lengths))
        offsets = [end - length for end, length in zip(ends, lengths, strict=True)]
    return offsets, max(ends)
