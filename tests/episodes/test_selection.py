"""Which episodes are meant."""

import shutil
from dataclasses import replace

import pytest

from tiltbot_ros.episodes.catalogue import Listed, each_episode, relabel
from tiltbot_ros.episodes.facts import TiltAction
from tiltbot_ros.episodes.selection import Selection


@pytest.fixture
def entry(recorded):
    return next(iter(each_episode(recorded)))


def changed(entry: Listed, **facts) -> Listed:
    return Listed(path=entry.path, facts=replace(entry.facts, **facts))


def test_an_empty_selection_fits_all_even_the_unreadable(entry):
    assert Selection().fits(entry)
    assert Selection().fits(Listed(path=entry.path, facts=None, problem="gone"))


def test_objects(entry):
    mug, nothing = changed(entry, object="mug"), changed(entry, object="")
    assert Selection(objects=("ball", "mug")).fits(mug)
    assert not Selection(objects=("ball",)).fits(mug)
    assert not Selection(objects=("mug",)).fits(nothing)
    assert Selection(objects=("",)).fits(nothing)
    assert not Selection(objects=()).fits(mug)


def test_conditions(entry):
    lost = Listed(path=entry.path, facts=None, problem="gone")
    verdict = replace(entry.facts.verdict, clean=False, problems=("/audio: 441 frames lost",))
    flagged, clean = changed(entry, verdict=verdict), entry
    for condition, one in (("clean", clean), ("flagged", flagged), ("unreadable", lost)):
        fitting = [e for e in (clean, flagged, lost) if Selection(condition=condition).fits(e)]
        assert fitting == [one]
    assert not Selection(condition="unreadable", outcome="x").fits(lost)


def test_problems_by_their_words_or_the_name_of_the_check(entry):
    checks = tuple(
        replace(check, ok=check.name != "continuity") for check in entry.facts.verdict.checks
    )
    verdict = replace(entry.facts.verdict, problems=("/audio: 441 frames lost",), checks=checks)
    flagged = changed(entry, verdict=verdict)
    assert Selection(problem="frames lost").fits(flagged)
    assert Selection(problem="continuity").fits(flagged)
    assert not Selection(problem="xruns").fits(flagged)
    assert not Selection(problem="continuity").fits(entry)


def test_what_people_said(entry):
    told = changed(entry, outcome="fell", labels={"who": "ada", "day": "1"}, kept=True)
    assert Selection(outcome="fell", kept=True).fits(told)
    assert not Selection(outcome="").fits(told)
    assert Selection(outcome="", kept=False).fits(entry)
    assert Selection(labels=(("who", "ada"), ("day", None))).fits(told)
    assert not Selection(labels=(("who", "bob"),)).fits(told)
    assert not Selection(labels=(("where", None),)).fits(told)


def test_times_reach_from_and_end_before(entry):
    stamp = entry.facts.contact.stamp_ns
    assert Selection(since_ns=stamp).fits(entry)
    assert not Selection(since_ns=stamp + 1).fits(entry)
    assert not Selection(until_ns=stamp).fits(entry)
    assert Selection(until_ns=stamp + 1).fits(entry)


def test_levels_and_tilts(entry):
    level = entry.facts.contact.level
    assert Selection(least_level=level, most_level=level).fits(entry)
    assert not Selection(least_level=level * 1.01).fits(entry)
    tilted = changed(
        entry, tilt=TiltAction(rotation=(0.1, 0.1, 0.0), ax=0.3, ay=0.4, start_ns=0, end_ns=1)
    )
    assert Selection(least_tilt=0.5, most_tilt=0.5).fits(tilted)
    assert not Selection(least_tilt=0.51).fits(tilted)
    assert not Selection(most_tilt=1.0).fits(changed(entry, tilt=None))


def test_a_dry_relabel_writes_nothing(recorded, tmp_path):
    data = shutil.copytree(recorded, tmp_path / "data")
    file = data / "ep_000001" / "episode.json"
    before = file.read_bytes(), file.stat().st_mtime_ns
    assert relabel(data, "ep_000001", outcome="x", dry=True).outcome == "x"
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    relabel(data, "ep_000001", object_name=next(iter(each_episode(data))).facts.object)
    assert file.stat().st_mtime_ns == before[1]
