"""What a goal brings, as a raw interaction: an episode on disk, or sound and a picture."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import numpy.typing as npt

from policy_ros.data.episodes import read_interaction
from policy_ros.data.making import RawInteraction
from policy_ros.data.sample import Provenance
from policy_ros.serving.rig import RigFacts
from tiltbot_ros.episodes.cdr import AudioMessage
from tiltbot_ros.episodes.facts import EpisodeFacts
from tiltbot_ros.errors import AudioError, EpisodeError, FormatError
from tiltbot_ros.serving import ServingSettings

Picture = npt.NDArray[np.uint8]

SLACK_S = 0.1
"""A window of sound may be so much shorter on either side: it is cut between blocks [s]."""

_ROW = 256

NO_PICTURE: Picture = np.zeros((1, 1, 3), np.uint8)
"""Stands for a picture that a goal does not hold."""


def from_episode(uri: str) -> RawInteraction:
    """Read an episode.

    Args:
        uri: file:// URI of its directory.

    Raises:
        EpisodeError: it is no such URI, or the episode cannot be read.
    """
    wrong = f"expected the file:// URI of an episode on this computer, got '{uri[:200]}'"
    try:
        parts = urlsplit(uri)
    except ValueError as error:  # such as a bracket of an IPv6 address
        raise EpisodeError(wrong) from error
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not parts.path:
        raise EpisodeError(wrong)
    path = Path(unquote(parts.path))
    try:
        found = path.is_dir()
    except OSError as error:  # a name too long, a folder that may not be entered
        raise EpisodeError(f"{str(path)[:200]}: cannot be read: {error.strerror}") from error
    if not found:
        raise EpisodeError(f"{path}: expected the directory of an episode, found none")
    return read_interaction(path, EpisodeFacts.read(path))


def from_blocks(
    blocks: Sequence[AudioMessage], *, contact_sample: int = 0, before: Picture | None = None
) -> RawInteraction:
    """Join blocks of sound.

    Args:
        blocks: that follow each other.
        contact_sample: running index of the frame at the contact; 0: the middle.
        before: (height, width, 3) uint8, RGB; None: there is none.

    Raises:
        AudioError: there is no sound, it changes its format, or there is a hole.
    """
    if not blocks:
        raise AudioError("expected sound or the URI of an episode, got neither")
    formats = {block.format for block in blocks}
    if len(formats) > 1:
        told = sorted(f"{f.sample_rate} Hz x {f.channels} of {f.bits} bits" for f in formats)
        raise AudioError(f"expected blocks of one format, got {' and '.join(told)}")
    (sound_format,) = formats
    following = blocks[0].block.first_sample
    first = following
    for message in blocks:
        block = message.block
        if block.first_sample != following:
            raise AudioError(
                f"expected blocks that follow each other without a hole, got frame "
                f"{block.first_sample} after frame {following - 1}"
            )
        following += len(block.samples)
    samples = (
        blocks[0].block.samples
        if len(blocks) == 1
        else np.concatenate([message.block.samples for message in blocks])
    )
    stamp_ns = blocks[0].block.stamp_ns
    frame = contact_sample - first if contact_sample else len(samples) // 2
    return RawInteraction(
        samples=samples,
        sample_rate=sound_format.sample_rate,
        full_scale=sound_format.full_scale,
        first_stamp_ns=stamp_ns,
        contact_frame=frame,
        contact_ns=stamp_ns + round(frame * 1e9 / sound_format.sample_rate),
        contact_channel=0,
        contact_level=0.0,
        before=NO_PICTURE if before is None else before,
        after=NO_PICTURE,
        rotation=np.zeros(2),
        location_before=np.full(2, np.nan),
        location_after=np.full(2, np.nan),
        tray_stamps_ns=np.zeros(0, np.int64),
        tray_rotations=np.zeros((0, 2)),
        object="",
        clean=True,
        provenance=Provenance(id="goal", folder="", origin="goal"),
    )


def check_sound(
    raw: RawInteraction,
    rig: RigFacts,
    settings: ServingSettings,
    *,
    microphones: tuple[int, ...],
    seconds: float,
) -> None:
    """See whether the sound is that of the rig, and whether there is something to hear.

    Args:
        raw: what was heard.
        rig: where.
        settings: what is too soft or clipped.
        microphones: that are listened to.
        seconds: of sound that the model takes, centred on the contact [s].

    Raises:
        AudioError: it is of another rate or number of channels, too short or too long, silent,
            dead on one microphone, or clipped.
    """
    samples = raw.samples
    frames, channels = samples.shape
    if channels != rig.channels:
        raise AudioError(
            f"expected sound of {rig.channels} microphones, as the rig says, got {channels}"
        )
    if raw.sample_rate != rig.sample_rate_hz:
        raise AudioError(
            f"expected sound of {rig.sample_rate_hz} Hz, as the rig says, got {raw.sample_rate} Hz"
        )
    before_s = raw.contact_frame / raw.sample_rate
    after_s = (frames - raw.contact_frame) / raw.sample_rate
    if min(before_s, after_s) < seconds / 2 - SLACK_S:
        raise AudioError(
            f"expected {seconds / 2:g} s of sound before and after the contact, got {before_s:.2f} "
            f"s and {after_s:.2f} s"
        )
    if frames > settings.longest_s * raw.sample_rate:
        raise AudioError(
            f"expected at most {settings.longest_s:g} s of sound, got "
            f"{frames / raw.sample_rate:.1f} s"
        )
    lows, highs = _extremes(samples)
    peak = float(max(-lows.min(), highs.max())) / raw.full_scale
    if peak < settings.least_peak:
        raise AudioError(
            f"expected sound with peaks of {settings.least_peak:g} of full scale or more, got "
            f"{peak:.2g}: it is silent"
        )
    dead = [channel for channel in microphones if lows[channel] == highs[channel]]
    if dead:
        raise AudioError(
            f"expected sound from every microphone, all samples of {dead} are the same"
        )
    top = raw.full_scale - 1
    loud = [c for c in range(channels) if highs[c] >= top or lows[c] <= -top]
    for channel in loud:
        plane = samples[:, channel]
        part = float(np.count_nonzero((plane >= top) | (plane <= -top))) / frames
        if part > settings.most_clipped:
            raise AudioError(
                f"expected at most {settings.most_clipped:.2%} of the samples at full scale, got "
                f"{part:.2%} of microphone {channel}: it is clipped; lower the gain"
            )


def check_picture(picture: Picture) -> None:
    """See whether a picture shows something.

    Raises:
        FormatError: it is no RGB picture of 8 bits, or empty, or of a single colour.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise FormatError(
            f"expected a picture (height, width, 3) of 8 bits, got {picture.dtype} {picture.shape}"
        )
    if not picture.size:
        raise FormatError(f"expected a picture with pixels, got {picture.shape[:2]} of them")
    # Nearly every picture is let go by a few of its pixels.
    if (picture[::16, ::16] == picture[0, 0]).all() and (picture == picture[0, 0]).all():
        raise FormatError("expected a picture that shows the tray, all of its pixels are the same")


def _extremes(
    samples: npt.NDArray[np.int16] | npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the least and the greatest sample of each channel.

    In long rows first: reducing rows as short as there are channels takes
    NumPy fifty times as long.
    """
    frames, channels = samples.shape
    whole = frames // _ROW * _ROW
    parts = [samples[whole:]] if whole < frames else []
    if whole:
        rows = samples[:whole].reshape(-1, _ROW * channels)
        parts += [rows.min(axis=0).reshape(-1, channels), rows.max(axis=0).reshape(-1, channels)]
    few = np.concatenate(parts).astype(np.int64)
    return few.min(axis=0), few.max(axis=0)
