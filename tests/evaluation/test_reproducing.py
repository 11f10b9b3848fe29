"""The whole study, in small: every section of the report, once, and again from what is there."""

import json
import os
from dataclasses import replace

import pytest

from policy_ros.evaluation import report as report_module
from policy_ros.evaluation import reproducing, sections
from policy_ros.evaluation.report import write_report
from policy_ros.evaluation.reproducing import reproduce
from policy_ros.evaluation.results import Results
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


RIVALS_AND_CONTROLS = (
    "pictures before and after",
    "control: sensed data of other rows",
    "chance: a class or the action at random",
    "always the mean action",
    "| chance | 0.0167 |",
    "image features (ResNet)",
    "oracle: the class is told",
    "nothing is known of the object",
    "it stays where it was",
    "random network",
    "| image features |",
)
"""What the models are to be held against, each a line of a table."""


def short_plan(**options):
    """Return the trainings of the study, of one epoch each."""

    def short(job):
        schedule = job.recipe.schedule.model_copy(update={"epochs": 1})
        return replace(job, recipe=job.recipe.model_copy(update={"schedule": schedule}))

    return tuple(map(short, plan(**options)))


@pytest.fixture(scope="module", autouse=True)
def shortly():
    """Train for one epoch, and leave to the system when it writes to the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reproducing, "plan", short_plan)
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="module")
def study(shortly, tmp_path_factory):
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


def test_the_report_holds_the_models_against_rivals_and_controls(study):
    _, report = study
    text = report.read_text()
    for line in RIVALS_AND_CONTROLS:
        assert line in text, line


@pytest.mark.parametrize(
    ("name", "told"),
    [("", "ImageNet weights were given"), ("resnet18.pth", "those of `resnet18.pth`")],
)
def test_the_report_says_where_image_features_are_from(study, monkeypatch, tmp_path, name, told):
    place, _ = study
    monkeypatch.setattr(report_module, "save", lambda *_: None)
    for section in ("retrieval", "tsne", "confusion", "actions", "locations"):
        shown = sections.Shown(figure=None, text="")
        monkeypatch.setattr(sections, section, lambda *_, shown=shown: shown)
    report = write_report(
        Results(place, (0,)), tmp_path, quick=True, image_weights=name, manifest="manifest.json"
    )
    assert told in report.read_text()


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
    monkeypatch.setattr(report_module, "save", lambda *_: None)  # pictures take long
    monkeypatch.setattr(KeepCheckpoint, "on_fit_start", None)  # a training would fail
    assert run(place).read_text() == before


def test_every_training_of_the_full_study_has_its_source_before_it():
    jobs = plan(seeds=(0, 1, 2), pushing=True, quick=False, side=128)
    seen = set()
    for job in jobs:
        assert not job.source or (job.source, job.seed) in seen
        seen.add((job.group, job.seed))
    assert len({job.name for job in jobs}) == len(jobs)
