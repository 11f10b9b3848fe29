"""The whole study, in small: every section of the report, once, and again from what is there."""

import json

import pytest

from policy_ros.evaluation.reproducing import reproduce
from policy_ros.evaluation.runner import Place
from policy_ros.evaluation.study import plan
from policy_ros.training.callbacks import KeepCheckpoint
from tests.training.synthetic import write_store
from tests.training.toy_pushes import write_pushes

SECTIONS = (
    "Table I",
    "The improved recipe",
    "Predicted actions",
    "What is taken for what",
    "Which objects sound alike",
    "Few shots",
    "Table II",
    "Pushing on the table",
)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    place = Place(
        store=write_store(folder / "store", rows_per_object=16, objects=3),
        pushes=write_pushes(folder / "pushes", objects=3),
        out=folder / "out",
    )
    return place, run(place)


def run(place):
    return reproduce(
        place, seeds=1, quick=True, workers=1, tell=lambda _: None, step=lambda *_: None
    )


@pytest.mark.timeout(600)
def test_the_report_has_every_section_with_its_picture(study):
    _, report = study
    text = report.read_text()
    for section in SECTIONS:
        assert f"## {section}" in text
    pictures = [part.split(")")[0] for part in text.split("](")[1:]]
    for picture in pictures:
        assert (report.parent / picture).is_file(), picture
    assert len(pictures) == 8
    assert "nan" not in text
    assert "0.786" in text  # the paper's figure stands beside


def test_the_manifest_tells_what_the_report_was_made_from(study):
    place, report = study
    manifest = json.loads((report.parent / "manifest.json").read_text())
    jobs = plan(seeds=(0,), pushing=True, quick=True, side=32)
    assert [run["name"] for run in manifest["runs"]] == [job.name for job in jobs]
    assert manifest["quick"] is True
    assert len(manifest["store"]) == 16
    assert manifest["pushes"] == 120
    assert all(run["seconds"] >= 0 for run in manifest["runs"])
    assert not list(place.out.rglob("*.partial"))


def test_what_is_done_is_not_done_again(study, monkeypatch):
    place, report = study
    before = report.read_text()
    monkeypatch.setattr(KeepCheckpoint, "on_fit_start", None)  # a training would fail
    assert run(place).read_text() == before


def test_every_training_of_the_full_study_has_its_source_before_it():
    jobs = plan(seeds=(0, 1, 2), pushing=True, quick=False, side=128)
    seen = set()
    for job in jobs:
        assert not job.source or (job.source, job.seed) in seen
        seen.add((job.group, job.seed))
    assert len({job.name for job in jobs}) == len(jobs)
