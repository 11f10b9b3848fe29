from pathlib import Path

import pytest
import release
import whole_episodes as rig
from rosbags.rosbag2 import StoragePlugin, Writer

from policy_ros.data.importers.bags import BagSource, find_bags, is_ours, read_names
from policy_ros.data.importers.importing import ImportOptions, import_sources
from policy_ros.data.importers.release import ReleaseSource
from policy_ros.data.importers.release_names import find_experiments
from policy_ros.data.importers.release_settings import ReleaseSettings
from tiltbot_ros.episodes.cdr import read_audio
from tiltbot_ros.episodes.offline_session import CutOptions
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.episodes.writer import WriterSettings
from tiltbot_ros.errors import EpisodeError, FormatError

CUT = CutOptions(rig="bag", max_tilt_rad=0.45, writer=WriterSettings(disk_floor_bytes=0))
NAMES = {
    "audio": "/lab/mics",
    "camera/color/image_raw/compressed": "/lab/top_view",
    "tray/pose": "/lab/tray",
    "tilt": "/lab/actions",
}


def write_bag(path: Path, messages, topics, rename) -> Path:
    """Write messages under other names."""
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connections = {
            topic.name: writer.add_connection(rename(topic.name), topic.type, typestore=typestore())
            for topic in topics
        }
        for topic, receive_ns, data in messages:
            writer.write(connections[topic], receive_ns, data)
    return path


@pytest.fixture(scope="module")
def long_bag(made, tmp_path_factory):
    """Return a bag of 11 s with two knocks, as another lab would record it."""
    root = tmp_path_factory.mktemp("lab")
    (experiment,) = find_experiments(made)
    source = ReleaseSource(
        experiment, ReleaseSettings(tray_key="state/orientation", tray_form="quaternion_xyzw")
    )
    theirs = {f"/{ours}": name for ours, name in NAMES.items()}
    described = source.describe()
    return write_bag(
        root / "bags" / "mug" / "monday",
        source.messages(),
        described.topics,
        lambda name: theirs.get(name, f"/lab{name}"),
    )


def bring_in(where, out, names=NAMES, *, object_name="mug", **options):
    sources = [
        BagSource(path, name, names=names, object_name=object_name)
        for name, path in find_bags(where)
    ]
    return import_sources(sources, out, ImportOptions(cut=CUT, **options))


def test_a_long_bag_with_other_names_is_cut_like_the_live_graph(long_bag, tmp_path):
    report = bring_in(long_bag.parent, tmp_path / "out")
    assert report.clean == report.episodes == 2, report
    episode = Episode.open(tmp_path / "out" / "ep_000001")
    assert episode.facts.object == "mug"
    assert episode.facts.labels == {"bag": "monday"}
    assert {topic.name for topic in episode.constant.topics} == {
        "/audio", "/audio/info", "/camera/color/image_raw/compressed", "/tray/pose", "/tilt",
        "/contact",
    }  # fmt: skip
    assert len(episode.images().frames) == 24
    assert episode.tilt().ax == pytest.approx(0.3 / 0.45, abs=1e-6)


def test_topics_of_our_names_are_found_in_any_namespace(tmp_path):
    made = rig.content(rig.Wanted(namespace="/left/rig"))
    messages = sorted(
        (message.stamp_ns, topic, message.data)
        for topic, stream in made.messages.items()
        for message in stream
    )
    bag = write_bag(
        tmp_path / "one",
        [(topic, max(stamp, made.start_ns), data) for stamp, topic, data in messages],
        rig.topics("/left/rig"),
        lambda name: name,
    )
    report = bring_in(bag, tmp_path / "out", {}, whole=True, told=True)
    (source,) = report.sources
    assert source.clean == 1, report
    episode = Episode.open(tmp_path / "out" / "ep_000001")
    assert episode.contact().stamp_ns == rig.EPOCH_NS
    assert episode.contact().channel == 1
    assert len(episode.images().frames) == 24


def test_a_whole_bag_is_one_episode_around_its_loudest_contact(long_bag, tmp_path):
    report = bring_in(long_bag, tmp_path / "out", whole=True)
    assert report.episodes == 1
    contact = Episode.open(tmp_path / "out" / "ep_000001").contact()
    knocks = [release.START_NS + round(knock * 1e9) for knock in release.KNOCKS_S]
    assert min(abs(contact.stamp_ns - knock) for knock in knocks) < 3e6


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({}, r"expected a topic of tiltbot/msg/ContactAudio, found .*/lab/mics \(tiltbot"),
        ({"audio": "/lab/microphones"}, r"expected the topic /lab/microphones for audio, found"),
        ({"audio": "/lab/tray"}, r"expected tiltbot/msg/ContactAudio on /lab/tray for audio"),
    ],
)
def test_a_missing_or_wrong_topic_is_told(long_bag, tmp_path, names, told):
    (bad,) = bring_in(long_bag, tmp_path / "out", names).failed
    with pytest.raises(FormatError, match=told):
        raise FormatError(bad.problem)


def test_a_bag_cut_short_is_told_and_the_others_are_imported(long_bag, tmp_path):
    folder = tmp_path / "bags"
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        for file in long_bag.iterdir():
            (folder / name / file.name).write_bytes(file.read_bytes())
    data = (folder / "a" / "monday.mcap").read_bytes()
    (folder / "a" / "monday.mcap").write_bytes(data[: len(data) // 2])
    report = bring_in(folder, tmp_path / "out")
    bad, good = report.sources
    assert "bags/a" in bad.problem
    assert len(good.episodes) == 2
    assert good.remarks == ()


def test_two_topics_that_fit_are_not_guessed_between(tmp_path):
    made = rig.content(rig.Wanted())
    topics = (*rig.topics("/a"), *rig.topics("/b"))
    audio = [("/a/audio", m.stamp_ns, m.data) for m in made.messages["/audio"]]
    bag = write_bag(tmp_path / "two", audio, topics, lambda name: name)
    (bad,) = bring_in(bag, tmp_path / "out", {}).failed
    assert "expected one topic for audio, found /a/audio, /b/audio" in bad.problem


def test_pairs_of_names_are_read():
    assert read_names(("audio=/x/y", "/tray/pose=/t")) == {"audio": "/x/y", "tray/pose": "/t"}
    for wrong in ("audio", "sound=/x", "audio="):
        with pytest.raises(FormatError, match="expected a topic as OURS=/BAG/TOPIC"):
            read_names((wrong,))


def test_bags_are_found_and_ours_known(long_bag, tmp_path):
    assert find_bags(long_bag.parents[1]) == [("mug/monday", long_bag)]
    assert find_bags(long_bag / "monday.mcap") == [("monday.mcap", long_bag / "monday.mcap")]
    for wrong in (tmp_path, tmp_path / "none"):
        with pytest.raises(FormatError, match="expected"):
            find_bags(wrong)
    (ours,) = rig.write(tmp_path / "data", rig.Wanted())
    assert is_ours(ours)
    assert not is_ours(long_bag)


def test_garbage_is_no_bag(tmp_path):
    (tmp_path / "x.mcap").write_bytes(b"garbage")
    source = BagSource(tmp_path / "x.mcap", "x", names={}, object_name="")
    with pytest.raises(EpisodeError, match=r"x\.mcap: the bag cannot be read"):
        source.describe()


def test_a_sample_rate_that_changes_is_told_with_the_bag(tmp_path):
    made = rig.content(rig.Wanted())
    audio = [(m.stamp_ns, m.data) for m in made.messages["/audio"]]
    other = rig.AudioFormat(sample_rate=48000, channels=4, bits=16)
    block = read_audio(audio[200][1]).block
    audio[200] = (audio[200][0], rig.write_audio(block, other, "tray"))
    bag = write_bag(
        tmp_path / "mixed",
        [("/audio", stamp, data) for stamp, data in audio],
        rig.topics(),
        lambda name: name,
    )
    (bad,) = bring_in(bag, tmp_path / "out", {}).failed
    assert str(bag) in bad.problem
    assert "48000" in bad.problem
