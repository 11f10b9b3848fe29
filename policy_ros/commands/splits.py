"""The verb `splits`: which rows of a training store are for what."""

from pathlib import Path
from typing import Annotated

import tyro

from tiltbot_ros.commands.output import Column, print_json, print_listing

_COLUMNS = (
    Column(title="split"),
    Column(title="objects", align=">"),
    Column(title="train", align=">"),
    Column(title="validation", align=">"),
    Column(title="test", align=">"),
    Column(title="hash"),
    Column(title="what for"),
)

_Store = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="STORE")]
_Shots = Annotated[tuple[int, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="K")]


def splits(
    store: _Store,
    *,
    seed: int = 0,
    test: float = 0.2,
    validation: float = 0.1,
    shots: _Shots = (),
    flagged: bool = False,
    json: bool = False,
) -> int:
    """Deal a training store out to training, validation and testing.

    Writes STORE/splits/NAME.json: `all`, `set_a`, `set_b`, `a_to_b`, and few
    shots of set B; which of them depends on the objects of the store. The same
    store and seed give the same files. docs/store.md describes them.

    Args:
        store: folder of the store
        seed: of what is dealt to which part
        test: part of each object's rows for testing
        validation: part of each object's other rows for validation
        shots: so many rows of each object of set B to learn from; repeat it for more splits
        flagged: use rows that are not clean, too
        json: print JSON, for scripts

    Returns:
        0.
    """
    # They import OpenCV; --help must not wait for it.
    from policy_ros.data.splits import SplitSettings, make_splits, write_split  # noqa: PLC0415
    from policy_ros.data.store import Store  # noqa: PLC0415
    from tiltbot_ros.settings import checked  # noqa: PLC0415

    settings = checked(
        SplitSettings,
        {"seed": seed, "test": test, "validation": validation, "flagged": flagged},
    )
    opened = Store.open(store)
    made = make_splits(opened, settings, shots=shots or None)
    for split in made:
        write_split(opened, split)
    if json:
        print_json([split.model_dump(mode="json") for split in made])
        return 0
    print_listing(
        _COLUMNS,
        [
            (
                split.name,
                str(len(split.objects)),
                str(len(split.train)),
                str(len(split.validation)),
                str(len(split.test)),
                split.hash,
                split.kind,
            )
            for split in made
        ],
        {},
    )
    return 0
