"""From episode.json to a row, and which rows have pictures."""

import itertools
from dataclasses import replace

import report_data
from report_data import HOSTILE

from tiltbot_ros.episodes.catalogue import Listed, list_episodes
from tiltbot_ros.reporting.rows import Row, choose, row_of


def test_a_row_tells_what_the_facts_tell(data):
    rows = [row_of(entry) for entry in list_episodes(data)]
    first, second, third, fourth, fifth, _ = rows
    assert (first.id, first.object, first.verdict) == ("ep_000001", "025_mug", "clean")
    assert first.action == (0.6, 0.3)
    assert (first.contacts, first.seconds) == (2, 4.0)
    assert second.verdict == "flagged"
    assert second.kinds == ("continuity /audio",)
    assert second.problems == ("/audio: 441 frames lost in 1 holes",)
    assert (third.outcome, third.labels) == ("fell out", (("who", "ada"),))
    assert fourth.object == HOSTILE
    assert fifth.kinds == ("object",)


def test_facts_that_cannot_be_read_are_a_row_too(data, tmp_path):
    (tmp_path / "ep_000009").mkdir()
    (entry,) = list_episodes(tmp_path)
    row = row_of(entry)
    assert (row.id, row.verdict, row.contact_ns) == ("ep_000009", "unreadable", None)
    # A report may be given away: it does not tell where the folder was.
    assert str(tmp_path) not in row.problems[0]
    assert "ep_000009/episode.json" in row.problems[0]


def test_the_row_is_of_the_directory_whatever_the_facts_call_themselves(data):
    entry = list_episodes(data)[0]
    liar = Listed(path=entry.path, facts=replace(entry.facts, id="../../elsewhere"))
    assert row_of(liar).id == "ep_000001"


def rows_of(text: str) -> list[Row]:
    names = {"c": "clean", "f": "flagged", "u": "unreadable"}
    return [Row(id=str(i), verdict=names[letter]) for i, letter in enumerate(text)]


def test_the_gallery_is_spread_over_the_collection():
    rows = rows_of("c" * 100)
    chosen = choose(rows, range(100), 10)
    assert len(chosen) == 10
    assert {b - a for a, b in itertools.pairwise(chosen)} == {10}


def test_flagged_episodes_have_a_quarter_of_the_room():
    rows = rows_of("c" * 50 + "f" * 50)
    chosen = choose(rows, range(100), 12)
    assert sum(rows[place].verdict == "flagged" for place in chosen) == 3
    assert chosen == tuple(sorted(chosen))


def test_the_room_is_filled_with_what_there_is():
    assert len(choose(rows_of("ccffffffff"), range(10), 8)) == 8
    assert choose(rows_of("cfcu"), range(4), 8) == (0, 1, 2)
    assert choose(rows_of("ffffu"), range(5), 3) == (0, 2, 3)
    assert choose(rows_of("cccc"), range(4), 0) == ()


def test_each_object_has_its_own(crowd):
    rows = [row_of(entry) for entry in list_episodes(crowd)]
    places = [i for i, row in enumerate(rows) if row.object == "banana"]
    assert {rows[place].object for place in choose(rows, places, 9)} == {"banana"}
    assert report_data.HOSTILE not in {row.object for row in rows}
