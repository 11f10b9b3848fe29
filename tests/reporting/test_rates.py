"""Contacts a minute around each episode."""

import numpy as np
import pytest

from tiltbot_ros.reporting.rates import contact_rates

NS = 1_000_000_000


def rates(seconds, contacts=None):
    stamps = np.array([round(s * NS) for s in seconds], np.int64) + 1_767_225_600 * NS
    heard = np.ones(len(stamps), np.int64) if contacts is None else np.array(contacts, np.int64)
    return contact_rates(stamps, heard)


def test_a_contact_every_ten_seconds_is_six_a_minute():
    assert rates(np.arange(0, 600, 10)) == pytest.approx(6.0)


def test_contacts_without_a_window_count():
    assert rates(np.arange(0, 600, 10), np.full(60, 3)) == pytest.approx(18.0)


def test_a_pause_does_not_slow_it_down():
    with_pause = np.concatenate([np.arange(0, 300, 10), 5000 + np.arange(0, 300, 10)])
    assert rates(with_pause) == pytest.approx(6.0)


def test_a_change_of_pace_is_seen_at_its_place():
    found = rates(np.concatenate([np.arange(0, 600, 10), 600 + np.arange(0, 600, 30)]))
    assert found[20] == pytest.approx(6.0)
    assert found[-5] == pytest.approx(2.0)


def test_the_order_does_not_matter():
    seconds = np.cumsum(np.random.default_rng(0).exponential(9, 50))
    mixed = np.random.default_rng(1).permutation(50)
    assert rates(seconds[mixed]) == pytest.approx(rates(seconds)[mixed])


@pytest.mark.parametrize("seconds", [[], [5.0], [5.0, 6.0], [0.0, 1000.0]])
def test_too_little_tells_no_rate(seconds):
    assert np.isnan(rates(seconds)).all()


def test_stamps_of_our_days_keep_their_nanoseconds():
    found = rates([0.0, 20.000000001, 40.000000002])
    assert found == pytest.approx(3.0, rel=1e-9)
