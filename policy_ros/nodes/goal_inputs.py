"""What goals carry, as the cores take it: sound and pictures."""

from typing import Any

import numpy as np
import numpy.typing as npt

from policy_ros.data.sample import Sample
from policy_ros.serving.interaction import from_blocks
from policy_ros.serving.served import ServedModel, Tell
from tiltbot_ros.episodes.cdr import AudioMessage
from tiltbot_ros.errors import AudioError, FormatError
from tiltbot_ros.nodes.wiring import nanoseconds
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat


def sample_of(
    model: ServedModel, request: Any, tell: Tell, *, before: npt.NDArray[np.uint8] | None = None
) -> Sample:
    """Return the interaction that a goal names or holds, as a model takes it.

    Args:
        model: that is asked.
        request: goal with `episode_uri`, `audio` and `contact_sample`.
        tell: told each phase.
        before: (height, width, 3) uint8, the picture that it holds.

    Raises:
        TiltbotError: there is none, or the model cannot use it.
    """
    if request.episode_uri:
        return model.of_episode(request.episode_uri, tell)
    blocks = [audio_of(message) for message in request.audio]
    raw = from_blocks(blocks, contact_sample=int(request.contact_sample), before=before)
    return model.sample(raw, tell)


def audio_of(message: Any) -> AudioMessage:
    """Return a ContactAudio message as the recorder reads it; the samples are a view.

    Raises:
        AudioError: its fields do not go together.
    """
    wide = message.bits == 24
    flat: npt.NDArray[np.int16] | npt.NDArray[np.int32] = (
        np.frombuffer(message.data32, np.int32) if wide else np.frombuffer(message.data16, np.int16)
    )
    other = message.data16 if wide else message.data32
    fits = message.bits in (16, 24) and message.channels and message.sample_rate and not len(other)
    if not fits or flat.size % message.channels or not flat.size:
        raise AudioError(
            "expected sound of 16 or 24 bits, whole frames of one channel or more in one array, "
            f"got bits={message.bits} channels={message.channels} "
            f"sample_rate={message.sample_rate} data16[{len(message.data16)}] "
            f"data32[{len(message.data32)}]"
        )
    return AudioMessage(
        format=AudioFormat(
            sample_rate=message.sample_rate, channels=message.channels, bits=message.bits
        ),
        block=AudioBlock(
            stamp_ns=nanoseconds(message.header.stamp),
            first_sample=message.first_sample,
            samples=flat.reshape(-1, message.channels),
            xruns=message.xruns,
        ),
        frame_id=message.header.frame_id,
    )


def picture_of(message: Any) -> npt.NDArray[np.uint8]:
    """Return a colour image (height, width, 3); rows may be padded.

    Raises:
        FormatError: it is empty, of another encoding, or has too few bytes.
    """
    height, width, step = int(message.height), int(message.width), int(message.step)
    if message.encoding != "rgb8" or not height or not width:
        raise FormatError(
            f"expected a colour image rgb8 with pixels, got '{message.encoding}' of {width} x "
            f"{height}"
        )
    data = np.frombuffer(message.data, np.uint8)
    if step < 3 * width or len(data) != height * step:
        raise FormatError(
            f"expected {height} rows of at least {3 * width} bytes, got rows of {step} and "
            f"{len(data)} bytes in all"
        )
    rows = data.reshape(height, step)[:, : 3 * width]
    return np.ascontiguousarray(rows.reshape(height, width, 3))
