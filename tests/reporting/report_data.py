"""Data folders to report on, one of them full of hostile names."""

import json
from dataclasses import replace
from pathlib import Path

import whole_episodes as rig

from tiltbot_ros.episodes.catalogue import relabel
from tiltbot_ros.episodes.facts import EpisodeFacts

NS = 1_000_000_000
HOSTILE = """<img src=x onerror="hacked=1"></script><script>hacked=1</script>'`${hacked=1}&lt;"""


def write_whole(folder: Path) -> None:
    """Write whole episodes, clean and flagged, the last one with a bag that is cut short."""
    wanted = [
        rig.Wanted(object="025_mug"),
        rig.Wanted(object="025_mug", action=(-0.5, 0.5), lost_block=100),
        rig.Wanted(object="banana", action=(0.1, -0.7)),
        rig.Wanted(object=HOSTILE),
        rig.Wanted(object=""),
        rig.Wanted(object="banana"),
    ]
    stamps = (rig.EPOCH_NS + 9 * NS * number for number in range(len(wanted)))
    rig.write(
        folder,
        *(replace(one, contact_ns=stamp) for one, stamp in zip(wanted, stamps, strict=True)),
    )
    relabel(folder, "ep_000004", outcome=HOSTILE, labels={HOSTILE: HOSTILE})
    relabel(folder, "ep_000003", outcome="fell out", labels={"who": "ada"})
    bag = folder / "ep_000006" / "ep_000006.mcap"
    bag.write_bytes(bag.read_bytes()[:-100])


def write_crowd(folder: Path, count: int) -> None:
    """Write episodes that have facts alone, every ten seconds one, ever louder."""
    (path,) = rig.write(folder, rig.Wanted(object="mug"))
    facts = EpisodeFacts.read(path)
    for number in range(2, count + 1):
        contact = replace(
            facts.contact, stamp_ns=rig.EPOCH_NS + 10 * NS * number, level=number / (count + 1)
        )
        one = replace(
            facts, id=f"ep_{number:06d}", object=("mug", "banana")[number % 2], contact=contact
        )
        (folder / one.id).mkdir()
        (folder / one.id / "episode.json").write_bytes(one.to_json())


def table_of(page: Path) -> dict:
    """Return the table within a page."""
    text = page.read_text()
    start = text.index('id="data">') + len('id="data">')
    return json.loads(text[start : text.index("</script>", start)])


def chunk_of(file: Path) -> list[dict]:
    """Return the media within a file beside a page."""
    text = file.read_text()
    return json.loads(text[text.index(",") + 1 : text.rindex(")")])
