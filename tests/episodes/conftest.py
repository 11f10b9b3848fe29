import sys
from pathlib import Path

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import contextlib

import streams

from tiltbot_ros.episodes.contacts import read_contact, write_contact
from tiltbot_ros.episodes.detector import ContactDetector, DetectorSettings
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.recorder import EpisodeRecorder
from tiltbot_ros.episodes.recorder_settings import RecorderSettings
from tiltbot_ros.episodes.writer import EpisodeWriter, WriterSettings

hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


class Bench:
    """A recorder with its detector and writer, fed by hand."""

    def __init__(self, out, *, topics=streams.TOPICS, settings=None, writer=None, **facts):
        self.folder = DataFolder(out)
        self.settings = settings or RecorderSettings()
        self.writer = EpisodeWriter(
            self.folder,
            streams.facts(topics, **facts),
            writer or WriterSettings(disk_floor_bytes=0),
            lambda: streams.EPOCH_NS,
        )
        self.recorder = EpisodeRecorder(self.settings, topics, self.writer, directory=str(out))
        self.recorder.set_object("mug", 0)
        self.detector = ContactDetector(DetectorSettings(), streams.FORMAT)
        self.outcomes = []
        self.now_ns = 0

    def feed(self, events, *, skip=lambda event: False):
        for event in events:
            if skip(event):
                continue
            self.now_ns = event.receive_ns
            self.recorder.on_message(event.topic, event.data, event.receive_ns)
            if event.block is not None:
                for contact in self.detector.process(event.block):
                    data = write_contact(contact, f"mic_{contact.channel}")
                    self.recorder.on_message("/contact", data, event.receive_ns)
                    self.recorder.on_contact(read_contact(data), event.receive_ns)
            self.outcomes += self.recorder.tick(event.receive_ns)
        return self

    def close(self):
        self.recorder.finish(self.now_ns)
        last = self.writer.close()
        self.recorder.account(last)
        self.outcomes += last
        self.folder.close()
        return self.outcomes

    def dropped(self, cause, topic=""):
        return sum(d.count for d in self.recorder.drops() if d.cause == cause and d.topic == topic)


@pytest.fixture
def bench(tmp_path):
    made = []

    def make(**options):
        made.append(Bench(options.pop("out", tmp_path / "data"), **options))
        return made[-1]

    yield make
    for one in made:
        one.writer.close()
        with contextlib.suppress(OSError):
            one.folder.close()


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """A data folder with two clean episodes; copy before changing it."""
    out = tmp_path_factory.mktemp("recorded") / "data"
    bench = Bench(out).feed(streams.events(14.0, (4.0, 9.5)))
    outcomes = bench.close()
    assert [o.facts.verdict.problems for o in outcomes] == [(), ()]
    return out
