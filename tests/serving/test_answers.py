"""What each of the three servers answers to what goals may hold: the reason, then the next goal."""

import math

import numpy as np
import pytest
from geometry_msgs.msg import Point
from sensor_msgs.msg import Image

from policy_ros.nodes import classify_object_node, forward_model_node, inverse_model_node
from policy_ros.serving.served import ServedModel
from tests.commands.whole_episodes import EPOCH_NS
from tests.serving import served
from tests.serving.asking import image_message
from tiltbot.action import ClassifyObject, ForwardModel, InverseModel
from tiltbot.msg import ContactAudio
from tiltbot_ros.errors import TiltbotError
from tiltbot_ros.nodes.wiring import stamp
from tiltbot_ros.serving import ROLES, ServingSettings

NODES = {
    "inverse": (inverse_model_node.answer, InverseModel),
    "forward": (forward_model_node.answer, ForwardModel),
    "classify": (classify_object_node.answer, ClassifyObject),
}


@pytest.fixture(scope="module")
def models(checkpoint, forward_checkpoint):
    folders = {"inverse": checkpoint, "forward": forward_checkpoint, "classify": checkpoint}
    return {
        role: ServedModel.open(folder, role, served.facts(), ServingSettings(), backend="torch")
        for role, folder in folders.items()
    }


@pytest.fixture(scope="module")
def heard(episodes):
    """Return the sound of an episode in one block, (n, 4) int16, and the picture before."""
    blocks = [message.block.samples for message in served.blocks_of(episodes[0])]
    return np.concatenate(blocks), served.before_of(episodes[0])


def sound(samples, *, rate=44_100, bits=16, first=1000, at_ns=EPOCH_NS):
    """Return a block of sound as a message."""
    message = ContactAudio(
        first_sample=first, sample_rate=rate, channels=samples.shape[1], bits=bits
    )
    message.header.stamp = stamp(at_ns)
    message.data16.frombytes(np.ascontiguousarray(samples).tobytes())
    return message


def image(picture, encoding="rgb8"):
    message = image_message(picture)
    message.encoding = encoding
    return message


def ask(models, role, audio, picture, **fields):
    answer, kind = NODES[role]
    goal = kind.Goal(audio=audio, **fields)
    if role == "inverse":
        goal.before = picture
    return answer(models[role], goal, lambda _: None)


def clipped(samples):
    return np.clip(samples.astype(int) * 900, -32768, 32767).astype(np.int16)


def one_dead(samples):
    samples = samples.copy()
    samples[:, 2] = 7
    return samples


BAD_SOUND = {
    "nothing": (lambda s: [], "got neither"),
    "silent": (lambda s: [sound(s * 0)], "it is silent"),
    "clipped": (lambda s: [sound(clipped(s))], "it is clipped"),
    "one microphone dead": (lambda s: [sound(one_dead(s))], r"all samples of \[2\] are the same"),
    "another rate": (lambda s: [sound(s, rate=48_000)], "44100 Hz, as the rig says, got 48000"),
    "one channel": (lambda s: [sound(s[:, :1])], "4 microphones, as the rig says, got 1"),
    "short": (lambda s: [sound(s[:50_000])], "2 s of sound before and after the contact"),
    "a hole": (lambda s: [sound(s[:9000]), sound(s[9000:], first=10_001)], "without a hole"),
    "other bits": (lambda s: [sound(s, bits=12)], "16 or 24 bits"),
    "no channels": (lambda s: [sound(s[:, :0])], "channels=0"),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", BAD_SOUND)
def test_each_server_refuses_bad_sound_with_the_reason_and_answers_the_next(
    role, name, models, heard
):
    samples, picture = heard
    spoil, reason = BAD_SOUND[name]
    with pytest.raises(TiltbotError, match=reason):
        ask(models, role, spoil(samples), image(picture))
    assert ask(models, role, [sound(samples)], image(picture))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda p: Image(), "rgb8 with pixels, got '' of 0 x 0"),
        (lambda p: Image(encoding="rgb8"), "of 0 x 0"),
        (lambda p: image(p, "mono8"), "got 'mono8'"),
        (lambda p: image(p * 0), "all of its pixels are the same"),
        (lambda p: Image(height=9, width=9, step=27, encoding="rgb8"), "0 bytes in all"),
    ],
)
def test_a_frame_that_is_empty_is_refused_by_who_looks_at_it(spoil, reason, models, heard):
    samples, picture = heard
    with pytest.raises(TiltbotError, match=reason):
        ask(models, "inverse", [sound(samples)], spoil(picture))
    assert ask(models, "inverse", [sound(samples)], image(picture))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"location": Point(x=0.2)}, "location on the tray"),
        ({"location": Point(y=math.nan)}, "location on the tray"),
        ({"location": Point(y=math.inf)}, "location on the tray"),
        ({"ax": 1.5}, r"ax and ay in \[-1, 1\]"),
        ({"ay": math.nan}, r"ax and ay in \[-1, 1\]"),
    ],
)
def test_a_state_that_cannot_be_is_refused_and_the_next_answered(fields, reason, models, heard):
    samples, picture = heard
    with pytest.raises(TiltbotError, match=reason):
        ask(models, "forward", [sound(samples)], picture, **fields)
    assert ask(models, "forward", [sound(samples)], picture)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("file://[", "expected the file:// URI"),
        ("ep_000001", "expected the file:// URI"),
        ("file:///" + 5000 * "x", "cannot be read: File name too long"),
        ("file:///nowhere/%00", "found none"),
        ("file:///tmp", r"episode\.json: cannot be read"),
    ],
)
def test_each_server_refuses_an_uri_that_is_no_episode(role, uri, reason, models, heard):
    answer, kind = NODES[role]
    with pytest.raises(TiltbotError, match=reason):
        answer(models[role], kind.Goal(episode_uri=uri), lambda _: None)


def test_a_model_that_looks_says_so_to_a_goal_that_holds_sound_alone(tmp_path, heard, episodes):
    served.make_checkpoint(tmp_path / "seeing", "image_classifier")
    model = ServedModel.open(
        tmp_path / "seeing", "classify", served.facts(), ServingSettings(), backend="torch"
    )
    answer, kind = NODES["classify"]
    with pytest.raises(TiltbotError, match=r"its picture before.*name an episode"):
        answer(model, kind.Goal(audio=[sound(heard[0])]), lambda _: None)
    named = answer(model, kind.Goal(episode_uri=episodes[0].as_uri()), lambda _: None)
    assert sorted(named.names) == sorted(served.CLASSES)


def test_a_model_that_knows_nothing_of_the_object_needs_no_sound(tmp_path):
    served.make_checkpoint(tmp_path / "blind", "forward_none")
    model = ServedModel.open(
        tmp_path / "blind", "forward", served.facts(), ServingSettings(), backend="torch"
    )
    answer, kind = NODES["forward"]
    near, far = (answer(model, kind.Goal(ax=ax), lambda _: None).location for ax in (0.0, 0.9))
    assert (near.x, near.y) != (far.x, far.y)
    with pytest.raises(TiltbotError, match="location on the tray"):
        answer(model, kind.Goal(location=Point(x=0.2)), lambda _: None)
