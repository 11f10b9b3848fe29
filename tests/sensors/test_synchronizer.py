import logging
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiltbot_ros.sensors.synchronizer import ApproximateTimeSynchronizer, SimpleFilter


@dataclass(frozen=True)
class Stamp:
    sec: int
    nanosec: int


@dataclass(frozen=True)
class Header:
    stamp: Stamp


@dataclass(frozen=True)
class Message:
    header: Header
    name: str

    @property
    def ns(self) -> int:
        return self.header.stamp.sec * 1_000_000_000 + self.header.stamp.nanosec


def message(ms: int, name: str = "") -> Message:
    sec, rest = divmod(ms, 1000)
    return Message(Header(Stamp(sec, rest * 1_000_000)), name)


class Rig:
    def __init__(self, inputs: int, *, queue_size: int = 10, slop: float = 0.05, **more) -> None:
        self.inputs = [SimpleFilter() for _ in range(inputs)]
        self.sync = ApproximateTimeSynchronizer(self.inputs, queue_size, slop, **more)
        self.sets: list[tuple] = []
        self.sync.registerCallback(lambda *messages: self.sets.append(messages))

    def send(self, index: int, what: object) -> None:
        self.inputs[index].signalMessage(what)


class Documented:
    """The documented behaviour by brute force: look at every combination of everything kept."""

    def __init__(self, inputs: int, queue_size: int, slop_ns: int) -> None:
        self.kept: list[list[Message]] = [[] for _ in range(inputs)]
        self.queue_size = queue_size
        self.slop_ns = slop_ns

    def send(self, index: int, new: Message) -> tuple | None:
        queue = self.kept[index]
        same = [at for at, old in enumerate(queue) if old.ns == new.ns]
        if same:
            queue[same[0]] = new
        else:
            queue.append(new)
        if len(queue) > self.queue_size:
            queue.remove(min(queue, key=lambda m: m.ns))
        sets = [()]
        for one in self.kept:
            sets = [(*some, (at, m)) for some in sets for at, m in enumerate(one)]
        fitting = []
        for some in sets:
            messages = [m for _, m in some]
            if messages[index] is not new:
                continue
            times = [m.ns for m in messages]
            if max(times) - min(times) >= self.slop_ns:
                continue
            fitting.append(([(abs(m.ns - new.ns), at) for at, m in some], messages))
        if not fitting:
            return None
        _, best = min(fitting, key=lambda pair: pair[0])
        for one, used in zip(self.kept, best, strict=True):
            one.remove(used)
        return tuple(best)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(2, 4),
    st.integers(1, 5),
    st.integers(0, 60),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 300)), max_size=60),
)
def test_parity_with_the_documented_behaviour(inputs, queue_size, slop_ms, events):
    rig = Rig(inputs, queue_size=queue_size, slop=slop_ms / 1000)
    documented = Documented(inputs, queue_size, int(slop_ms / 1000 * 1e9))
    expected = []
    for serial, (which, ms) in enumerate(events):
        new = message(ms, f"{serial}")
        result = documented.send(which % inputs, new)
        if result is not None:
            expected.append(result)
        rig.send(which % inputs, new)
    assert rig.sets == expected


def test_the_nearest_message_is_taken_and_none_is_used_twice():
    rig = Rig(2)
    color = [message(0, "c0"), message(166, "c1")]
    depth = [message(30, "far"), message(3, "near"), message(170, "d1")]
    rig.send(1, depth[0])
    rig.send(1, depth[1])
    rig.send(0, color[0])
    rig.send(0, color[1])
    rig.send(1, depth[2])
    rig.send(0, message(170, "late"))
    assert rig.sets == [(color[0], depth[1]), (color[1], depth[2])]


def test_a_lost_frame_leaves_its_partner_alone():
    rig = Rig(2, slop=0.08)
    for k in range(10):
        rig.send(0, message(k * 166, f"c{k}"))
        if k != 4:
            rig.send(1, message(k * 166 + 5, f"d{k}"))
    assert [(c.name, d.name) for c, d in rig.sets] == [
        (f"c{k}", f"d{k}") for k in range(10) if k != 4
    ]


def test_extra_arguments_follow_the_messages():
    rig = Rig(2)
    heard: list[tuple] = []
    rig.sync.registerCallback(lambda *got: heard.append(got), "extra", 7)
    a, b = message(1), message(2)
    rig.send(0, a)
    rig.send(1, b)
    assert heard == [(a, b, "extra", 7)]


def test_a_message_without_a_header_is_left_out_with_a_warning_or_stamped(caplog):
    rig = Rig(2)
    with caplog.at_level(logging.WARNING):
        rig.send(0, "no header")
    assert "header.stamp" in caplog.text
    rig = Rig(2, allow_headerless=True, clock=lambda: 1_000_000)
    rig.send(0, "no header")
    rig.send(1, message(2))
    assert rig.sets == [("no header", message(2))]


def test_stamps_may_be_times_of_rclpy():
    @dataclass
    class Time:
        nanoseconds: int

    rig = Rig(2)
    one, two = Message(Header(Time(5_000_000)), "t"), message(6)
    rig.send(0, one)
    rig.send(1, two)
    assert rig.sets == [(one, two)]


@pytest.mark.parametrize(("gap_ms", "paired"), [(49, 1), (50, 0)])
def test_a_span_of_exactly_the_slop_is_too_far(gap_ms, paired):
    rig = Rig(2, slop=0.05)
    rig.send(0, message(0))
    rig.send(1, message(gap_ms))
    assert len(rig.sets) == paired
