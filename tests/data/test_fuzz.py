"""Whatever bytes come: a named error, or a sample; never another exception, never code."""

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from struct import error

import bags
import pytest
import rows
import whole_episodes as rig
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rosbags.serde import SerdeError

from policy_ros.data.bag_signals import read_rotations, read_track
from policy_ros.data.splits import SplitSettings, make_splits, read_split, write_split
from policy_ros.data.store import Store
from tiltbot_ros.episodes.facts import EpisodeFacts
from tiltbot_ros.episodes.mcap import read_topics
from tiltbot_ros.errors import TiltbotError

SLOW = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
FAST = settings(SLOW, max_examples=100)

edits = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(["set", "flip", "cut", "insert", "repeat", "huge"]),
        st.binary(min_size=1, max_size=12),
    ),
    min_size=1,
    max_size=4,
)


def mutated(data: bytes, changes, *, within: int | None = None) -> bytes:
    """Return bytes with some changes, all of them within the first so many bytes."""
    out = bytearray(data)
    for place, way, new in changes:
        at = int(place * min(len(out), within or len(out)))
        if way == "set":
            out[at : at + len(new)] = new
        elif way == "flip":
            out[at : at + 1] = bytes([out[at] ^ (new[0] or 1)]) if at < len(out) else b""
        elif way == "cut":
            del out[at : at + max(1, new[0]) ** 2]
        elif way == "insert":
            out[at:at] = new
        elif way == "repeat":
            out[at:at] = out[max(0, at - 64) : at]
        else:
            out[at : at + 8] = b"\xff\xff\xff\xff\x00\x00\x00\x7f"
    return bytes(out)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Return the folder of one episode that has a tenth of the pictures, for speed."""

    def thinned(content):
        seen = iter(range(100))
        return bags.changed_messages(
            content, rig.COLOR, lambda _stamp, data: data if next(seen) % 12 == 5 else None
        )

    folder = tmp_path_factory.mktemp("fuzz") / "data"
    bags.record_changed(folder, thinned)
    return folder


def convert_one(source: Path, place: Path, spoil) -> None:
    data, out = place / "data", place / "store"
    for folder in (data, out):
        shutil.rmtree(folder, ignore_errors=True)
    path = bags.copied(source, data) / "ep_000001"
    spoil(path)
    done = bags.converted(data, out=out)
    assert done.rows + len(done.left_out) == 1
    assert all(str(path) in entry.reason for entry in done.left_out)
    Store.open(out).verify()


@SLOW
@given(edits, st.sampled_from([300, 3000, 30_000, None]))
def test_mutated_bags_become_rows_or_are_named(small, tmp_path, changes, within):
    whole = bags.bag(small / "ep_000001").read_bytes()
    convert_one(
        small, tmp_path, lambda path: bags.write_bag(path, mutated(whole, changes, within=within))
    )


@SLOW
@given(edits, st.sampled_from(["episode.json", "metadata.yaml"]))
def test_mutated_facts_become_rows_or_are_named(small, tmp_path, changes, name):
    def spoil(path):
        (path / name).write_bytes(mutated((path / name).read_bytes(), changes))

    convert_one(small, tmp_path, spoil)


@SLOW
@given(
    st.sampled_from(["sample", "stamp_ns", "channel", "level"]),
    st.one_of(st.integers(), st.sampled_from([2**63, -(2**63) - 1, 2**200, 0, -1, 127, 128])),
)
def test_absurd_contacts_are_named(small, tmp_path, name, value):
    def spoil(path):
        contact = EpisodeFacts.read(path).contact
        bags.edit_facts(path, contact=replace(contact, **{name: value}))

    convert_one(small, tmp_path, spoil)


@FAST
@given(edits)
@example([(0.99, "huge", b"x")])
def test_mutated_messages_are_read_or_refused(small, changes):
    data = bags.bag(small / "ep_000001").read_bytes()
    topics = read_topics(data, {"/audio", "/tray/pose"})
    for name, read in (("/audio", read_track), ("/tray/pose", read_rotations)):
        messages = topics[name].messages[:20]
        messages[7] = memoryview(mutated(bytes(messages[7]), changes, within=100))
        same = [memoryview(mutated(bytes(m), changes, within=100)) for m in messages]
        for some in (messages, same):
            # Whoever reads a bag turns what its parsers raise into an error that names the file.
            with suppress(TiltbotError, SerdeError, ValueError, IndexError, error):
                read(some)


@SLOW
@given(
    edits,
    st.sampled_from(["store.json", "shard_00000/rows.jsonl", "shard_00001/action.npy"]),
    st.sampled_from([130, None]),
)
def test_mutated_stores_are_read_or_refused(tmp_path, changes, name, within):
    path = tmp_path / "store"
    if not path.exists():
        rows.write(path, range(6))
    whole = (path / name).read_bytes()
    (path / name).write_bytes(mutated(whole, changes, within=within))
    try:
        store = Store.open(path)
        for row in range(len(store)):
            store.sample(row)
        store.verify()
    except TiltbotError as refused:
        assert str(path) in str(refused)  # noqa: PT017 - a mutation may also change nothing
    finally:
        (path / name).write_bytes(whole)


@SLOW
@given(edits)
def test_mutated_splits_are_read_or_refused(tmp_path, changes):
    path = tmp_path / "store"
    if not path.exists():
        rows.write(path, range(12))
    store = Store.open(path)
    split = make_splits(store, SplitSettings())[0]
    file = write_split(store, split)
    file.write_bytes(mutated(file.read_bytes(), changes))
    try:
        assert read_split(store, "all") == split
    except TiltbotError as refused:
        assert str(file) in str(refused)  # noqa: PT017 - a mutation may also change nothing
