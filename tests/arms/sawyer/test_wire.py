import ast
import math
import socket
import sys

import pytest

from tiltbot_ros.arms.sawyer.process import ROS1_FOLDER
from tiltbot_ros.arms.sawyer.ros1.sawyer_side import wire

SIDE = sorted((ROS1_FOLDER / "sawyer_side").glob("*.py"))


@pytest.fixture
def pair():
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    left.setblocking(False)
    right.setblocking(False)
    yield left, right
    left.close()
    right.close()


def test_packets_keep_their_order_and_their_numbers(pair):
    left, right = pair
    q = [0.1, -1e-12, math.pi, 0.0, 1.0, 2.0, 3.0]
    for n in range(20):
        wire.send(left, wire.pack("reference", n=n, q=q))
    for n in range(20):
        fields = wire.receive(right)
        assert (fields["kind"], fields["n"]) == ("reference", n)
        assert wire.numbers(fields, "q", 7) == q
    assert wire.receive(right) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_refused_on_both_ends(value):
    with pytest.raises(wire.WireError):
        wire.pack("reference", q=[value])
    with pytest.raises(wire.WireError, match="no number"):
        wire.unpack(
            b'{"kind":"reference","q":[%s]}'
            % str(value).replace("inf", "Infinity").replace("nan", "NaN").encode()
        )


@pytest.mark.parametrize(
    "data",
    [b"", b"\x80\x04.", b"[1]", b'{"q":1}', b'{"kind":3}', b"[" * 16000, b'{"kind":"x"', b"\xff"],
)
def test_what_is_no_packet_is_refused(data):
    with pytest.raises(wire.WireError):
        wire.unpack(data)


@pytest.mark.parametrize(
    "values", [None, "0000000", [0.0] * 6, [0.0] * 8, [True] * 7, ["0"] * 7, [1e300] + [0.0] * 6]
)
def test_seven_numbers_are_seven_numbers(values):
    with pytest.raises(wire.WireError, match="expected 7 numbers"):
        wire.numbers({"q": values}, "q", 7)


def test_a_packet_too_long_is_refused_where_it_is_made():
    with pytest.raises(wire.WireError, match="at most"):
        wire.pack("failed", text="x" * 20000)


def test_the_end_of_the_other_one_is_told_at_once(pair):
    left, right = pair
    left.close()
    with pytest.raises(wire.GoneError):
        wire.receive(right)
    with pytest.raises(wire.GoneError):
        wire.send(right, wire.pack("bye"))


@pytest.mark.parametrize("file", SIDE, ids=lambda file: file.name)
def test_the_side_process_is_plain_python_3_8(file):
    """ROS Noetic has Python 3.8, and none of this package's environment."""
    tree = ast.parse(file.read_text(), feature_version=(3, 8))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
        assert not isinstance(node, ast.Match)
    assert names <= set(sys.stdlib_module_names)
    # Annotations of today's kind are not evaluated with this.
    assert "from __future__ import annotations" in file.read_text() or not names
