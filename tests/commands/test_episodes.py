"""`tiltbot episodes`: on real episode folders, whole and broken."""

import io
import json
import resource
import shutil
import subprocess

import numpy as np
import pytest
import whole_episodes as rig

from tiltbot_ros.commands.checking import check_episode


def test_ls_tells_object_tilt_and_verdict_of_each_episode(tiltbot, recorded):
    status, out, _ = tiltbot("episodes", "ls", recorded)
    lines = out.splitlines()
    assert status == 0
    assert lines[0].split()[:2] == ["ID", "OBJECT"]
    assert lines[1].split()[1] == "mug"
    assert "+0.60, +0.30" in lines[1]
    assert lines[1].endswith("clean")
    assert "441 frames lost" in lines[3]
    assert "no object named" in lines[4]


def test_ls_sums_up_by_object(tiltbot, recorded):
    _, out, _ = tiltbot("episodes", "ls", recorded)
    totals = [line.split()[:4] for line in out.splitlines()[6:]]
    assert totals == [
        ["OBJECT", "EPISODES", "CLEAN", "FLAGGED"],
        ["(not", "named)", "1", "0"],
        ["banana", "2", "1", "1"],
        ["mug", "1", "1", "0"],
        ["all", "4", "2", "2"],
    ]


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ((), [1, 2, 3, 4]),
        (("--clean",), [1, 2]),
        (("--flagged",), [3, 4]),
        (("--object", "banana"), [2, 3]),
        (("--object", "banana", "--clean"), [2]),
        (("--object", ""), [4]),
        (("--trash",), []),
    ],
)
def test_ls_selects(tiltbot, recorded, options, ids):
    status, out, _ = tiltbot("episodes", "ls", recorded, "--json", *options)
    assert status == 0
    assert [e["id"] for e in json.loads(out)["episodes"]] == [f"ep_{i:06d}" for i in ids]


def test_ls_as_json_has_the_facts(tiltbot, recorded):
    _, out, _ = tiltbot("episodes", "ls", recorded, "--json")
    listing = json.loads(out)
    assert listing["folder"] == str(recorded)
    first, third = listing["episodes"][0], listing["episodes"][2]
    assert (first["object"], first["clean"], first["readable"]) == ("mug", True, True)
    assert first["contact_ns"] == rig.EPOCH_NS
    assert first["end_ns"] - first["start_ns"] == 4_000_000_000
    assert (first["tilt"]["ax"], first["tilt"]["ay"]) == (0.6, 0.3)
    assert first["bytes"] == (recorded / "ep_000001" / "ep_000001.mcap").stat().st_size
    assert third["problems"] == ["/audio: 441 frames lost in 1 holes"]
    assert {o["object"]: o["episodes"] for o in listing["objects"]} == {
        "": 1,
        "banana": 2,
        "mug": 1,
    }


def test_ls_goes_on_after_facts_that_cannot_be_read(tiltbot, folder):
    (folder / "ep_000002" / "episode.json").write_bytes(b"\x00garbage")
    (folder / "ep_000003" / "episode.json").unlink()
    status, out, _ = tiltbot("episodes", "ls", folder)
    lines = out.splitlines()
    assert status == 0
    assert "unreadable" in lines[2]
    assert "unreadable" in lines[3]
    assert lines[4].startswith("ep_000004")
    assert "2 episodes more cannot be read" in out
    episodes = json.loads(tiltbot("episodes", "ls", folder, "--json")[1])["episodes"]
    assert [e["readable"] for e in episodes] == [True, False, False, True]
    assert "ep_000002/episode.json" in episodes[1]["problems"][0]


def test_ls_of_thousands_is_fast(start, tmp_path):
    rig.many(tmp_path / "data", 3000)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    process = start("episodes", "ls", tmp_path / "data", stdout=subprocess.PIPE)
    out, _ = process.communicate()
    assert process.returncode == 0
    assert len(out.splitlines()) == 3000 + 6
    # Processor time: other tests may run beside this one.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 6.0


def test_check_passes_over_clean_episodes(tiltbot, recorded):
    status, out, _ = tiltbot("episodes", "check", recorded / "ep_000001")
    assert (status, out) == (0, "1 episode checked: all clean\n")


def test_check_finds_every_broken_episode_and_names_its_file(tiltbot, folder):
    for number in (5, 6, 7, 8):
        shutil.copytree(folder / "ep_000001", folder / f"ep_{number:06d}")
        old = folder / f"ep_{number:06d}" / "ep_000001.mcap"
        old.rename(old.with_name(f"ep_{number:06d}.mcap"))
    bag = folder / "ep_000005" / "ep_000005.mcap"
    bag.write_bytes(bag.read_bytes()[:-1000])
    (folder / "ep_000006" / "metadata.yaml").unlink()
    (folder / "ep_000007" / "episode.json").write_text('{"id": 3}')
    flipped = folder / "ep_000008" / "ep_000008.mcap"
    data = bytearray(flipped.read_bytes())
    data[len(data) // 2] ^= 1
    flipped.write_bytes(data)

    status, out, _ = tiltbot("episodes", "check", folder, "--json")
    report = json.loads(out)
    found = {e["id"]: e for e in report["episodes"]}
    assert status == 1
    assert report["ok"] is False
    assert (report["checked"], report["clean"], report["flagged"]) == (8, 2, 2)
    assert report["unreadable"] == 4
    assert (found["ep_000001"]["clean"], found["ep_000001"]["agrees"]) == (True, True)
    assert found["ep_000003"]["problems"] == ["/audio: 441 frames lost in 1 holes"]
    assert "ep_000005.mcap" in found["ep_000005"]["problems"][0]
    assert "truncated" in found["ep_000005"]["problems"][0]
    assert "ep_000006" in found["ep_000006"]["problems"][0]
    assert "ep_000007/episode.json" in found["ep_000007"]["problems"][0]
    assert "corrupt" in found["ep_000008"]["problems"][0]

    status, out, _ = tiltbot("episodes", "check", folder)
    assert status == 1
    assert out.count("unreadable") == 4 + 1
    assert out.splitlines()[-1].startswith("8 episodes checked: 2 clean, 2 flagged, 4 unreadable")


def test_check_judges_the_messages_not_the_stored_verdict(tiltbot, folder):
    path = folder / "ep_000003" / "episode.json"
    facts = json.loads(path.read_text())
    facts["verdict"] = {"clean": True, "problems": [], "checks": []}
    path.write_text(json.dumps(facts))
    status, out, _ = tiltbot("episodes", "check", path.parent)
    assert status == 1
    assert "441 frames lost" in out
    assert "in episode.json: clean" in out
    assert "of 1 episode episode.json tells otherwise" in out


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": "ep_000042"}, "it is of ep_000042, in the directory ep_000001"),
        ({"messages": 7}, "7 messages, the bag has"),
        ({"tilt": None}, "another tilt than that on /tilt"),
    ],
)
def test_check_holds_the_facts_against_the_bag(tiltbot, folder, change, told):
    path = folder / "ep_000001" / "episode.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    status, out, _ = tiltbot("episodes", "check", path.parent)
    assert status == 1
    assert f"in episode.json: {told}" in out


def test_check_holds_the_contact_against_the_bag(tiltbot, folder):
    path = folder / "ep_000001" / "episode.json"
    facts = json.loads(path.read_text())
    facts["contact"]["sample"] += 1
    path.write_text(json.dumps(facts))
    status, out, _ = tiltbot("episodes", "check", path.parent)
    assert status == 1
    assert "a contact at frame 88201 that is not on /contact" in out


def test_check_survives_any_damage(folder):
    source, spoilt = folder / "ep_000001", folder / "ep_000009"
    rng = np.random.default_rng(1)
    for number in range(36):
        shutil.rmtree(spoilt, ignore_errors=True)
        shutil.copytree(source, spoilt)
        name = ("metadata.yaml", "episode.json", "ep_000001.mcap")[number % 3]
        data = bytearray((spoilt / name).read_bytes())
        at = int(rng.integers(len(data)))
        if number % 2:
            data[at:] = b""
        else:
            data[at] ^= 1 << int(rng.integers(8))
        (spoilt / name).write_bytes(data)
        found = check_episode(spoilt)
        if name.endswith(".mcap") or number % 2:
            assert not found.readable
            assert str(spoilt) in found.problems[0]


def test_discard_and_restore_bring_an_episode_back(tiltbot, folder):
    status, out, _ = tiltbot("episodes", "discard", folder / "ep_000001", folder / "ep_000002")
    assert status == 0
    assert "ep_000001: moved to" in out
    assert not (folder / "ep_000001").exists()
    trash = json.loads(tiltbot("episodes", "ls", folder, "--trash", "--json")[1])
    assert [e["id"] for e in trash["episodes"]] == ["ep_000001", "ep_000002"]
    assert tiltbot("episodes", "restore", folder / "ep_000001")[0] == 0
    assert tiltbot("episodes", "restore", folder / "trash" / "ep_000002")[0] == 0
    assert tiltbot("episodes", "check", folder / "ep_000001")[0] == 0
    assert tiltbot("episodes", "check", folder / "ep_000002")[0] == 0


def test_relabel_names_what_was_not_named_and_so_cleans_it(tiltbot, folder):
    status, out, _ = tiltbot(
        *("episodes", "relabel", folder / "ep_000004", "--object", "apple"),
        *("--outcome", "fell", "--label", "who=ada", "--label", "day=1"),
    )
    assert status == 0
    assert out.strip() == "ep_000004: object apple, outcome fell, who = ada, day = 1"
    assert tiltbot("episodes", "check", folder / "ep_000004")[0] == 0


def test_keep_is_shown_by_ls(tiltbot, folder):
    assert tiltbot("episodes", "keep", folder / "ep_000001")[0] == 0
    assert "clean, kept" in tiltbot("episodes", "ls", folder)[1]


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("ls", "{}/nowhere"), 1, "expected a folder of episodes"),
        (("check", "{}/ep_000099"), 1, "there are: ep_000001, ep_000002, ep_000003 ... ep_000004"),
        (("show", "{}/ep_000099"), 1, "expected an episode"),
        (("show", "{}", "--out", "x.bmp"), 1, "expected a picture named *.png"),
        (("keep", "{}"), 1, "expected the path of an episode, such as data/ep_000042"),
        (("discard", "{}/ep_000099"), 1, "expected the id of an episode"),
        (("restore", "{}/ep_000001"), 1, "expected the id of an episode"),
        (("keep",), 2, "expected one episode or more"),
        (("relabel", "{}/ep_000001"), 2, "expected --object, --outcome or --label"),
        (("relabel", "{}/ep_000001", "--label", "x"), 2, "expected a label as NAME=VALUE"),
        (("ls", "{}", "--clean", "--flagged"), 2, "expected --flagged or --clean"),
        (("ls",), 2, "DIR"),
        (("sl", "{}"), 2, "sl"),
        (("ls", "{}", "--cleen"), 2, "--cleen"),
    ],
)
def test_wrong_use_is_told(tiltbot, folder, arguments, status, told):
    found, _, err = tiltbot("episodes", *(text.format(folder) for text in arguments))
    assert found == status
    assert told in " ".join(err.split())
    assert "Traceback" not in err


def test_show_of_a_folder_draws_its_last_episode_into_the_working_directory(
    tiltbot, recorded, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    status, out, _ = tiltbot("episodes", "show", recorded)
    assert (status, out) == (0, "ep_000004.png\n")
    assert [path.name for path in tmp_path.iterdir()] == ["ep_000004.png"]


def test_find_prints_paths_for_pipes(tiltbot, folder):
    status, out, _ = tiltbot("episodes", "find", folder, "--flagged")
    assert (status, out) == (0, f"{folder}/ep_000003\n{folder}/ep_000004\n")
    assert tiltbot("episodes", "find", folder, "--object", "banana", "--ids")[1].split() == [
        "ep_000002",
        "ep_000003",
    ]
    assert tiltbot("episodes", "find", folder, folder, "--problem", "continuity", "--count")[1] == (
        "2\n"
    )


def test_find_prints_a_line_of_json_for_each(tiltbot, folder):
    (folder / "ep_000001" / "episode.json").unlink()
    lines = tiltbot("episodes", "find", folder, "--json")[1].splitlines()
    found = [json.loads(line) for line in lines]
    assert [one["id"] for one in found] == [f"ep_{number:06d}" for number in (1, 2, 3, 4)]
    assert [one["readable"] for one in found] == [False, True, True, True]
    assert json.loads(tiltbot("episodes", "find", folder, "--unreadable", "--json")[1])["problems"]


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (("--object", "mug", "--object", ""), [1, 4]),
        (("--clean", "--object", "banana"), [2]),
        (("--min-tilt", "0.7"), [2]),
        (("--min-level", "-5"), []),
        (("--max-level", "-5"), [1, 2, 3, 4]),
        (("--since", "2023-11-14", "--until", "2023-11-15"), [1, 2, 3, 4]),
        (("--until", "2023-11-13"), []),
        (("--outcome", ""), [1, 2, 3, 4]),
        (("--set", "A"), []),
        (("--label", "who"), []),
        (("--kept",), []),
    ],
)
def test_find_selects(tiltbot, recorded, options, ids):
    status, out, _ = tiltbot("episodes", "find", recorded, "--ids", *options)
    assert (status, out.split()) == (0, [f"ep_{number:06d}" for number in ids])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--clean", "--flagged"), "expected one of --clean, --flagged and --unreadable"),
        (("--since", "yesterday"), "expected a time such as 2026-01-31"),
        (("--label", "=x"), "expected a label as NAME or NAME=VALUE"),
        (("--ids", "--json"), "expected one of --ids, --count and --json"),
    ],
)
def test_find_tells_wrong_use(tiltbot, recorded, options, told):
    status, _, err = tiltbot("episodes", "find", recorded, *options)
    assert status == 2
    assert told in " ".join(err.split())


def test_relabel_takes_paths_from_a_pipe_and_may_be_dry(tiltbot, folder, monkeypatch):
    found = tiltbot("episodes", "find", folder, "--object", "banana")[1]
    monkeypatch.setattr("sys.stdin", io.StringIO(found))
    status, out, _ = tiltbot("episodes", "relabel", "-", "--outcome", "fell", "--dry-run")
    assert status == 0
    assert out.splitlines() == [
        "ep_000002: object banana, outcome fell",
        "ep_000003: object banana, outcome fell",
        "2 episodes left as they are: --dry-run",
    ]
    assert tiltbot("episodes", "find", folder, "--outcome", "fell")[1] == ""
    monkeypatch.setattr("sys.stdin", io.StringIO(found))
    assert tiltbot("episodes", "relabel", "-", "--outcome", "fell")[0] == 0
    assert tiltbot("episodes", "find", folder, "--outcome", "fell")[1] == found
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert tiltbot("episodes", "discard", "-")[0] == 2


def test_check_reads_the_metadata_to_its_end(tiltbot, folder):
    path = folder / "ep_000001" / "metadata.yaml"
    path.write_bytes(path.read_bytes()[:-300])
    status, out, _ = tiltbot("episodes", "check", folder / "ep_000001")
    assert status == 1
    assert "metadata.yaml: expected" in out


def test_merge_tells_what_it_took_and_what_not(tiltbot, folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    (folder / "ep_000002" / "ep_000002.mcap").write_bytes(b"short")
    status, out, _ = tiltbot("episodes", "merge", folder, copy, "--out", tmp_path / "all")
    assert status == 1
    assert f"{folder}/ep_000002: {folder}/ep_000002/ep_000002.mcap: expected" in out
    assert f"{copy}/ep_000001: the same bag as {tmp_path}/all/ep_000001" in out
    assert out.splitlines()[-1] == (
        f"4 episodes taken into {tmp_path}/all; 0 were there before, 3 are duplicates, 1 refused"
    )
    status, out, _ = tiltbot("episodes", "merge", copy, "--out", tmp_path / "all", "--json")
    report = json.loads(out)
    assert status == 0
    assert (report["merged"], len(report["duplicates"])) == ([], 4)
    dry = ("--object", "mug", "--out", tmp_path / "mugs", "--dry-run")
    out = tiltbot("episodes", "merge", copy, *dry)[1]
    assert out.startswith("1 episode would be taken")
    assert not (tmp_path / "mugs").exists()


def test_export_takes_folders_episodes_and_pipes(tiltbot, folder, tmp_path, monkeypatch):
    found = tiltbot("episodes", "find", folder, "--clean")[1]
    monkeypatch.setattr("sys.stdin", io.StringIO(found))
    status, out, _ = tiltbot("episodes", "export", "-", "--out", tmp_path / "a")
    assert (status, out.splitlines()[-1].split(" in ")[0]) == (0, "2 episodes")
    assert sorted(path.name for path in (tmp_path / "a").glob("ep_*")) == [
        "ep_000001",
        "ep_000002",
    ]
    (folder / "ep_000003" / "ep_000003.mcap").unlink()
    status, out, _ = tiltbot(
        *("episodes", "export", folder, "--object", "banana", "--out", tmp_path / "b.tar", "--json")
    )
    made = json.loads(out)
    assert status == 1
    assert made["episodes"] == ["ep_000002"]
    assert made["refused"][0][0] == str(folder / "ep_000003")
    status, _, err = tiltbot("episodes", "export", folder, "--object", "x", "--out", tmp_path / "c")
    assert (status, "found none that fit" in err) == (1, True)
