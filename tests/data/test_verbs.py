import json

import bags
import pytest

from policy_ros.data.splits import read_split
from policy_ros.data.store import Store
from tiltbot_ros.cli import main


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    bags.write(folder, *(bags.wanted(n, object=("025_mug", "048_hammer")[n % 2]) for n in range(4)))
    return folder


@pytest.fixture
def settings(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text("picture_size: 32\nfront_end: {frequencies: 16, times: 16}\n")
    return file


def test_convert_and_splits_make_a_store_from_bags(data, settings, tmp_path, capsys):
    store = tmp_path / "store"
    given = ["convert", str(data), "--out", str(store), "--settings", str(settings)]
    assert main([*given, "--workers", "1"]) == 0
    assert "4 episodes in" in capsys.readouterr().out
    opened = Store.open(store)
    assert [(entry.name, entry.set) for entry in opened.objects] == [
        ("025_mug", "A"),
        ("048_hammer", "B"),
    ]
    assert opened.settings.picture_size == 32
    assert main(["splits", str(store), "--test", "0.5", "--validation", "0", "--shots", "1"]) == 0
    listing = capsys.readouterr().out
    assert all(name in listing for name in ("all", "set_a", "set_b", "a_to_b", "b_1_shot"))
    assert len(read_split(opened, "a_to_b").test) == 1
    # Again, without the settings: those of the store.
    assert main(["convert", str(data), "--out", str(store), "--workers", "1"]) == 0
    assert "0 added" in capsys.readouterr().out


def test_splits_are_printed_as_json(data, settings, tmp_path, capsys):
    store = tmp_path / "store"
    main(["convert", str(data), "--out", str(store), "--settings", str(settings)])
    capsys.readouterr()
    assert main(["splits", str(store), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told[0]["name"] == "all"
    assert told[0]["store"] == Store.open(store).hash


def test_a_fault_is_told_with_its_file_and_by_the_exit_status(data, settings, tmp_path, capsys):
    bags.bag(data / "ep_000002").write_bytes(b"")
    bags.edit_facts(data / "ep_000003", object="")
    given = ["convert", str(data), "--out", str(tmp_path / "store"), "--settings", str(settings)]
    assert main([*given, "--workers", "1"]) == 1
    told = capsys.readouterr().out
    assert f"left out: {data}/ep_000002/ep_000002.mcap: expected" in told
    assert "left out: 1 episode by rule: no object" in told
    assert "2 episodes in" in told


def test_what_is_left_out_by_rule_alone_is_no_failure(data, settings, tmp_path):
    bags.edit_facts(data / "ep_000003", tilt=None)
    given = ["convert", str(data), "--out", str(tmp_path / "store"), "--settings", str(settings)]
    assert main([*given, "--workers", "1"]) == 0


def test_clips_are_kept_when_asked_for(data, settings, tmp_path):
    store = tmp_path / "store"
    given = ["convert", str(data), "--out", str(store), "--settings", str(settings), "--clip"]
    assert main([*given, "--workers", "1"]) == 0
    assert Store.open(store).array("clip").shape == (4, 24, 32, 32, 3)


def test_check_reads_the_whole_store(data, settings, tmp_path, capsys):
    store = tmp_path / "store"
    given = ["convert", str(data), "--out", str(store), "--settings", str(settings), "--check"]
    assert main([*given, "--workers", "1"]) == 0
    assert "every file is as its checksum says" in capsys.readouterr().out
    file = store / "shard_00000" / "audio.npy"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert main(["convert", "--out", str(store), "--check"]) == 1
    assert "audio.npy: expected the CRC-32" in capsys.readouterr().err
    assert main(["convert", "--out", str(tmp_path / "typo"), "--check"]) == 1
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--out", "OUT"], 2, "expected one folder of episodes or more"),
        (["DATA", "--out", "OUT", "--workers", "0"], 2, "--workers above 0"),
        (["OUT", "--out", "OUT"], 1, "expected a folder of episodes"),
        (["DATA", "--out", "DATA"], 1, "expected an empty folder or a training store"),
        (["DATA", "--out", "OUT", "--settings", "OUT"], 1, "cannot be read"),
        (["DATA", "--out", "OUT", "--settings", "BAD"], 1, "picture_size"),
        (["DATA", "--out", "OUT", "--settings", "LIST"], 1, "expected settings in"),
    ],
)
def test_wrong_use_is_explained(data, tmp_path, capsys, options, status, said):
    places = {"DATA": data, "OUT": tmp_path / "out", "BAD": tmp_path / "bad.yaml"}
    places["LIST"] = tmp_path / "list.yaml"
    places["BAD"].write_text("picture_size: -3\n")
    places["LIST"].write_text("[1]\n")
    assert main(["convert", *(str(places.get(word, word)) for word in options)]) == status
    assert said in capsys.readouterr().err


def test_splits_of_nothing_are_refused(tmp_path, capsys):
    assert main(["splits", str(tmp_path)]) == 1
    assert "expected a training store" in capsys.readouterr().err
    assert main(["splits", str(tmp_path), "--test", "2"]) == 1
    assert "test" in capsys.readouterr().err
