"""The headset's server: who may connect, and what comes of poses, from a WebSocket's client."""

import json
import time
import urllib.error
import urllib.request

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tiltbot_ros.errors import ConfigError, DeviceError
from tiltbot_ros.teleop.headset import HeadsetSource, is_loopback
from tiltbot_ros.teleop.settings import HeadsetSettings
from tiltbot_ros.teleop.source import News

SECRET, QUOTED = "of the house", "of%20the%20house"
OTHERS = "192.0.2.1"
POSE = {
    "position": [0.0, 0.0, -0.2],
    "orientation": [0, 0, 0, 1],
    "clutch": True,
    "gripper": None,
    "wishes": [],
}


def until(condition, timeout_s=5.0):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def serving():
    opened = []

    def serve(**settings):
        source = HeadsetSource(HeadsetSettings(port=0, **settings))
        source.open()
        opened.append(source)
        return source

    yield serve
    for source in opened:
        source.close()


def join(source, *, token="", origin=None, path="/poses"):
    here = f"127.0.0.1:{source.port}"
    query = f"?token={token}" if token else ""
    return connect(f"ws://{here}{path}{query}", origin=origin or f"http://{here}")


def page(source, path="/"):
    with urllib.request.urlopen(f"http://127.0.0.1:{source.port}{path}", timeout=5) as answer:
        return answer.headers, answer.read().decode()


def test_poses_and_wishes_come_through_and_news_go_back(serving):
    source = serving()
    assert source.read(0.0) is None
    with join(source) as client:
        assert json.loads(client.recv()) == {"hand": "right"}
        client.send(json.dumps({**POSE, "wishes": ["start", "stop"]}))
        until(lambda: source.read(0.0))
        assert source.read(0.0).position[0] == pytest.approx(0.2)
        assert source.wishes() == ("start", "stop")
        source.tell(
            News(
                ready=True, mode="following", commander="teleop", recording=True, text="demo_000001"
            )
        )
        assert json.loads(client.recv())["mode"] == "following"


def test_the_page_is_served_with_a_policy_and_nothing_else_is(serving):
    source = serving()
    headers, text = page(source)
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "headset.js" in text
    assert "javascript" in page(source, "/headset.js")[0]["Content-Type"]
    for path in ("/../settings.py", "/headset.py", "/page/headset.html"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            page(source, path)


def test_a_token_is_asked_for_the_page_and_the_poses(serving):
    source = serving(token=SECRET)
    assert source.address.endswith(f"?token={QUOTED}")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        page(source)
    for wrong in ("", "of", "ö"):
        with pytest.raises(InvalidStatus, match="403"):
            join(source, token=wrong)
    assert "<main>" in page(source, f"/?token={QUOTED}")[1]
    with join(source, token=QUOTED) as client:
        client.recv()


def test_a_page_from_elsewhere_is_refused(serving):
    source = serving()
    for origin in ("http://evil.example", "null"):
        with pytest.raises(InvalidStatus, match="403"):
            join(source, origin=origin)


def test_a_second_headset_is_refused_and_the_first_stays(serving):
    source = serving()
    with join(source) as first:
        first.recv()
        with join(source) as second, pytest.raises(ConnectionClosed, match="another headset"):
            second.recv()
        first.send(json.dumps(POSE))
        until(lambda: source.read(0.0))
    with join(source) as third:
        assert json.loads(third.recv()) == {"hand": "right"}


def test_nonsense_is_counted_and_a_flood_of_bytes_ends_the_connection(serving):
    source = serving()
    with join(source) as client:
        client.recv()
        for text in ("", "{}", "[1]", b"\xff\xfe"):
            client.send(text)
        until(lambda: source.dropped["malformed"] == 4)
        client.send(json.dumps({**POSE, "position": [None, 0, 0]}))
        until(lambda: source.read(0.0))
        client.send("x" * 10_000)
        with pytest.raises(ConnectionClosed):
            client.recv()
    with join(source) as client:
        client.recv()


def test_others_than_the_loopback_need_a_certificate():
    with pytest.raises(ConfigError, match=r"headset\.certificate"):
        HeadsetSource(HeadsetSettings(host=OTHERS))
    assert is_loopback("127.0.0.1")
    assert is_loopback("localhost")
    assert is_loopback("::1")
    assert not is_loopback(OTHERS)
    assert not is_loopback("robot.local")


def test_a_token_is_made_for_others_than_the_loopback(tmp_path):
    paths = {"certificate": str(tmp_path / "c.pem"), "key": str(tmp_path / "k.pem")}
    first, second = (HeadsetSource(HeadsetSettings(host=OTHERS, **paths)) for _ in range(2))
    assert first.address.startswith("https://")
    assert first.address.split("token=")[1] != second.address.split("token=")[1]
    with pytest.raises(ConfigError, match="expected a certificate"):
        first.open()


def test_a_taken_port_is_told(serving):
    source = serving()
    second = HeadsetSource(HeadsetSettings(port=source.port))
    with pytest.raises(DeviceError, match=r"headset\.port"):
        second.open()
