import numpy as np
import pytest

from tiltbot_ros import topics
from tiltbot_ros.episodes.cdr import header_stamp_ns
from tiltbot_ros.episodes.images import pixels_of
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.generating.messages import image_message
from tiltbot_ros.image_forms import other_form, to_other_form

STAMP_NS = 1_700_000_000_123_456_789
DEPTH = np.arange(30 * 40, dtype=np.uint16).reshape(30, 40)
COLOR = np.full((30, 40, 3), (200, 100, 50), np.uint8)


def pixels(topic, data):
    message = typestore().deserialize_cdr(data, topic.type)
    assert message.header.frame_id == "eye"
    return pixels_of(message, topic.type)


@pytest.mark.parametrize(
    ("topic", "image", "encoding"),
    [(topics.COLOR, COLOR, "rgb8"), (topics.DEPTH, DEPTH, "16UC1")],
)
def test_an_image_goes_to_its_other_form_and_back(topic, image, encoding):
    raw = image_message(image, encoding, stamp_ns=STAMP_NS, frame="eye")
    packed_topic = other_form(topic)
    assert packed_topic.name.startswith(f"{topic.name}/compressed")
    packed = to_other_form(topic, raw)
    assert len(packed) < len(raw)
    assert other_form(packed_topic) is topic
    back = to_other_form(packed_topic, packed)
    for name, data in ((packed_topic, packed), (topic, back)):
        assert header_stamp_ns(data) == STAMP_NS
        found, called = pixels(name, data)
        assert called == encoding
        assert np.abs(found.astype(int) - image).max() <= (2 if encoding == "rgb8" else 0)


def test_what_is_no_image_has_no_other_form():
    assert other_form(topics.AUDIO) is None
    with pytest.raises(EpisodeError, match="image_raw"):
        to_other_form(topics.COLOR, b"\0\1\0\0 no image")
    mono = image_message(DEPTH, "16UC1", stamp_ns=STAMP_NS, frame="eye")
    with pytest.raises(EpisodeError, match="expected rgb8 or 16UC1"):
        to_other_form(topics.COLOR, mono)
