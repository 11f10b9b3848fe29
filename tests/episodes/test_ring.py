import pytest

from tiltbot_ros.episodes.ring import MessageRing, StampedMessage

S = 1_000_000_000


def message(t_s: float, size: int = 10) -> StampedMessage:
    return StampedMessage(stamp_ns=round(t_s * S), data=bytes(size))


def test_window_is_inclusive_and_sorted_by_stamp():
    ring = MessageRing(10, 1000)
    for t in (1.0, 1.2, 1.1, 1.3):
        ring.append(message(t))
    assert [m.stamp_ns for m in ring.window(1 * S, round(1.2 * S))] == [
        1_000_000_000,
        1_100_000_000,
        1_200_000_000,
    ]


def test_window_hands_out_the_same_bytes_uncopied():
    ring = MessageRing(10, 1000)
    one = message(1.0)
    ring.append(one)
    assert ring.window(0, 2 * S)[0].data is one.data


def test_old_messages_go_and_are_known_as_lost_to_a_late_window():
    ring = MessageRing(2, 1000)
    for t in range(6):
        ring.append(message(t))
    assert [m.stamp_ns // S for m in ring.window(0, 9 * S)] == [3, 4, 5]
    assert ring.evictions["ring_age"] == 3
    assert ring.losses(1 * S, 4 * S) == {"ring_age": 2}


def test_bytes_are_bounded_whatever_comes():
    ring = MessageRing(100, 35)
    for t in range(10):
        ring.append(message(t))
        assert ring.bytes_held <= 35
    assert len(ring) == 3
    assert ring.evictions["ring_bytes"] == 7
    ring.append(message(11, 36))
    assert (len(ring), ring.bytes_held) == (0, 0)


def test_losses_are_forgotten_when_no_window_can_ask_for_them():
    ring = MessageRing(1, 10**9)
    for t in range(1000):
        ring.append(message(t))
    assert len(ring._losses) < 5


@pytest.mark.parametrize(("step", "kept"), [(-0.4, 4), (-0.6, 1), (-3600.0, 1)])
def test_a_clock_set_back_clears_what_belongs_to_the_old_time(step, kept):
    ring = MessageRing(10, 1000)
    for t in (100.0, 100.1, 100.2):
        assert ring.append(message(t))
    steady = ring.append(message(100.2 + step))
    assert steady == (kept == 4)
    assert len(ring) == kept
    assert ring.evictions["clock_jump"] == 4 - kept
    assert ring.bytes_held == kept * 10


def test_a_clock_set_forward_only_ages():
    ring = MessageRing(10, 1000)
    ring.append(message(1.0))
    assert ring.append(message(5000.0))
    assert (len(ring), ring.evictions["ring_age"]) == (1, 1)


def test_transport_losses_are_told_to_their_window_alone():
    ring = MessageRing(10, 1000)
    ring.append(message(1.0))
    ring.note_loss(1 * S, "transport", 3)
    assert ring.losses(0, 2 * S) == {"transport": 3}
    assert ring.losses(2 * S, 3 * S) == {}
