"""What is written where, and what is left alone."""

import errno
from pathlib import Path

import pytest
import report_data
from report_data import HOSTILE, chunk_of, table_of

from tiltbot_ros.cli import main
from tiltbot_ros.errors import EpisodeError, ReportError
from tiltbot_ros.reporting import target
from tiltbot_ros.reporting.report import make_report
from tiltbot_ros.reporting.settings import ReportSettings

PLAIN = ReportSettings(gallery=0)


def test_the_page_holds_the_whole_table(made):
    table = table_of(made)
    rows = table["rows"]
    assert rows["id"] == [f"ep_{number:06d}" for number in range(1, 7)]
    assert [o["name"] for o in table["objects"]] == ["025_mug", HOSTILE, "banana", ""]
    assert table["objects"][0]["set"] == "A"
    assert table["objects"][0]["cover"].startswith("data:image/jpeg;base64,")
    assert rows["verdict"] == [0, 1, 0, 0, 1, 0]
    assert rows["time"][1] - rows["time"][0] == 9000
    assert [len(chunk["episodes"]) for chunk in table["chunks"]] == [1] * 6


def test_nothing_of_a_name_is_markup(made):
    text = made.read_text()
    assert text.count("<script") == 2
    assert text.count("</script>") == 2
    assert "<img" not in text
    for file in (made.parent / "media").iterdir():
        assert b"<" not in file.read_bytes()


def test_a_chunk_is_told_to_the_page(made):
    table = table_of(made)
    for chunk in table["chunks"]:
        media = chunk_of(made.parent / chunk["file"])
        assert [one["id"] for one in media] == [table["rows"]["id"][i] for i in chunk["episodes"]]


def test_workers_change_nothing(data, tmp_path):
    settings = ReportSettings(gallery=2, chunk_episodes=1, sound="flac")
    told = []
    one = make_report(data, tmp_path / "one", settings, tell=lambda *how: told.append(how))
    two = make_report(data, tmp_path / "two", settings, workers=2)
    assert told == [(done, 6) for done in range(7)]
    files = sorted(p.relative_to(one.page.parent) for p in one.page.parent.rglob("*.js"))
    assert len(files) == 6
    for file in files:
        assert (one.page.parent / file).read_bytes() == (two.page.parent / file).read_bytes()
    assert one.unreadable == two.unreadable
    assert [problem[0] for problem in one.unreadable] == ["ep_000006"]


def test_a_new_report_takes_the_place_of_the_old_one(crowd, data, tmp_path):
    out = tmp_path / "r"
    make_report(data, out, ReportSettings(gallery=2, chunk_episodes=1))
    assert len(list((out / "media").iterdir())) == 6
    again = make_report(crowd, out, PLAIN)
    assert again.episodes == 130
    assert list((out / "media").iterdir()) == []
    assert sorted(p.name for p in out.iterdir()) == ["index.html", "media"]
    one = make_report(crowd, tmp_path / "one.html", PLAIN)
    assert make_report(data, tmp_path / "one.html", PLAIN).page == one.page


@pytest.mark.parametrize("place", ["folder", "page.html", "file"])
def test_what_is_no_report_is_not_written_over(crowd, tmp_path, place):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").write_text("years of work")
    (tmp_path / "page.html").write_text("<html>mine</html>")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ReportError, match="expected"):
        make_report(crowd, tmp_path / place, PLAIN)
    assert (tmp_path / "folder" / "thesis.tex").read_text() == "years of work"
    assert (tmp_path / "page.html").read_text() == "<html>mine</html>"


def test_a_full_disk_leaves_the_old_report_as_it_was(data, tmp_path, monkeypatch):
    out = tmp_path / "r"
    page = make_report(data, out, ReportSettings(gallery=1)).page
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}

    def full(path: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(target.Path, "write_bytes", full)
    with pytest.raises(ReportError, match="No space left"):
        make_report(data, out, ReportSettings(gallery=1, sound="none"))
    monkeypatch.undo()
    for path, content in before.items():
        assert path.read_bytes() == content
    assert make_report(data, out, ReportSettings(gallery=1)).page == page


def test_no_episodes_and_no_folder_are_told(tmp_path):
    with pytest.raises(ReportError, match="found none in it"):
        make_report(tmp_path, tmp_path / "r", PLAIN)
    with pytest.raises(EpisodeError, match="found none"):
        make_report(tmp_path / "nowhere", tmp_path / "r", PLAIN)


def test_the_verb_tells_what_it_made_and_what_it_could_not_read(data, tmp_path, capsys):
    status = main(
        ["report", str(data), "--out", str(tmp_path / "r"), "--title", "<b>", "--workers", "1"]
    )
    out = capsys.readouterr().out
    assert status == 1
    assert "ep_000006  unreadable: ep_000006/ep_000006.mcap: expected" in out
    assert "r/index.html: 6 episodes, 6 with pictures and sound" in out
    assert table_of(tmp_path / "r" / "index.html")["title"] == "<b>"
    assert main(["report", str(data), "--gallery", "-1"]) == 2


def test_a_folder_of_odd_bytes_is_reported_on(tmp_path):
    folder = tmp_path / b"caf\xe9".decode("utf-8", "surrogateescape")
    report_data.write_crowd(folder, 3)
    page = make_report(folder, tmp_path / "r", PLAIN).page
    assert table_of(page)["title"] == "caf?"
