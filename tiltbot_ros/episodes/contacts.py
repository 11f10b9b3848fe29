"""Contacts as messages."""

from typing import Any, cast

from rosbags.serde import SerdeError

from tiltbot_ros.episodes.cdr import make_header, time_ns
from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.episodes.typestore import CONTACT_TYPE, typestore
from tiltbot_ros.errors import EpisodeError


def write_contact(contact: HeardContact, frame_id: str) -> bytes:
    """Serialise a contact as a Contact message.

    Args:
        contact: what was heard.
        frame_id: frame of the loudest microphone.
    """
    message = typestore().types[CONTACT_TYPE](
        header=make_header(contact.stamp_ns, frame_id),
        sample=contact.sample,
        channel=contact.channel,
        level=contact.level,
        threshold=contact.threshold,
        detector=contact.detector,
    )
    return bytes(typestore().serialize_cdr(message, CONTACT_TYPE))


def read_contact(data: bytes) -> HeardContact:
    """Read a raw Contact message.

    Raises:
        EpisodeError: the bytes are no Contact message.
    """
    try:
        message = cast("Any", typestore().deserialize_cdr(data, CONTACT_TYPE))
    except SerdeError as error:
        raise EpisodeError(f"expected a Contact message: {error}") from error
    return HeardContact(
        sample=int(message.sample),
        stamp_ns=time_ns(message.header.stamp),
        channel=int(message.channel),
        level=float(message.level),
        threshold=float(message.threshold),
        detector=str(message.detector),
    )
