"""Losses counted by topic and cause."""

from collections import Counter

from tiltbot_ros.episodes.facts import DropCount

Losses = Counter[tuple[str, str]]
"""How many were lost, by topic (empty: of the whole) and cause."""


def drop_counts(losses: Losses) -> tuple[DropCount, ...]:
    """Return the losses that there are, sorted by topic and cause."""
    return tuple(
        DropCount(topic=topic, cause=cause, count=count)
        for (topic, cause), count in sorted(losses.items())
        if count
    )
