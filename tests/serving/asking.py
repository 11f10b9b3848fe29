"""Goals for the servers, and what they answer."""

from sensor_msgs.msg import Image

from tests.serving import served
from tiltbot.msg import ContactAudio
from tiltbot_ros.episodes.facts import EpisodeFacts
from tiltbot_ros.nodes.wiring import stamp


def ask(observer, client, goal):
    """Send a goal; return its status, its result and the phases it told."""
    phases = []
    sent = client.send_goal_async(
        goal, feedback_callback=lambda message: phases.append(message.feedback.phase)
    )
    handle = observer.result(sent, 20.0)
    assert handle.accepted
    answer = observer.result(handle.get_result_async(), 20.0)
    return answer.status, answer.result, phases


def audio_messages(path):
    """Return the sound of an episode as a goal holds it."""
    messages = []
    for one in served.blocks_of(path):
        message = ContactAudio(
            first_sample=one.block.first_sample,
            sample_rate=one.format.sample_rate,
            channels=one.format.channels,
            bits=16,
        )
        message.header.stamp = stamp(one.block.stamp_ns)
        message.data16.frombytes(one.block.samples.tobytes())
        messages.append(message)
    return messages


def image_message(picture):
    """Return a picture (h, w, 3) as a message."""
    height, width, _ = picture.shape
    message = Image(height=height, width=width, step=3 * width, encoding="rgb8")
    message.data.frombytes(picture.tobytes())
    return message


def interaction(path):
    """Return the fields of a goal that holds an episode's picture, sound and contact."""
    return {
        "before": image_message(served.before_of(path)),
        "audio": audio_messages(path),
        "contact_sample": EpisodeFacts.read(path).contact.sample,
    }
