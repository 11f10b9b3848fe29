"""The verb `serve`: models as action servers, judged by every new episode."""

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import tyro
from rich.console import Console

from tiltbot_ros.bringup import serve_graph
from tiltbot_ros.commands.output import remarks
from tiltbot_ros.commands.usage import UsageError
from tiltbot_ros.errors import DeviceError
from tiltbot_ros.rigs import Rig, load_rig
from tiltbot_ros.serving import ACTIONS, Role, ServingSettings

if TYPE_CHECKING:
    from tiltbot_ros.supervisor import Supervisor

_Folder = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")]

POLL_S = 0.2
MOST_STARTS = 3


def serve(
    *,
    inverse: _Folder = None,
    forward: _Folder = None,
    classify: _Folder = None,
    rig: str = "sim",
    no_live: bool = False,
    backend: Literal["auto", "onnx", "torch"] = "auto",
    logs: Path = Path("logs"),
    namespace: str = "",
) -> int:
    """Serve models as ROS 2 actions until Ctrl-C, and judge them by every new episode.

    Start `tiltbot collect` beside it; what the models say of each episode and
    how far they are off comes on the topic `evaluation`.

    Args:
        inverse: folder of a checkpoint that says which action was applied
        forward: folder of a checkpoint that says where the object will be
        classify: folder of a checkpoint that says which object was heard
        rig: name of the rig that the models must fit (config/rigs) or the path of a YAML file
        no_live: do not judge the models by new episodes
        backend: what runs them: onnx, torch, or what suits this computer
        logs: folder that the nodes' logs go to
        namespace: of all nodes and topics, as that of the rig

    Returns:
        0 after Ctrl-C.
    """
    given: dict[Role, Path | None] = {"inverse": inverse, "forward": forward, "classify": classify}
    checkpoints: dict[Role, Path] = {role: path for role, path in given.items() if path is not None}
    if not checkpoints:
        raise UsageError("expected a checkpoint: --inverse, --forward or --classify, got none")
    chosen = load_rig(rig)
    _check(chosen, checkpoints)
    specs = serve_graph(
        chosen, checkpoints=checkpoints, live=not no_live, settings=ServingSettings(backend=backend)
    )

    # It starts processes; checks of the options must not wait for its imports.
    from tiltbot_ros.supervisor import Supervisor  # noqa: PLC0415

    console = remarks()
    folder = logs.expanduser() / time.strftime("%Y%m%d-%H%M%S")
    graph = Supervisor(specs, log_directory=folder, namespace=namespace)
    try:
        graph.start()
        console.print(
            f"serving {', '.join(ACTIONS[role] for role in checkpoints)}; logs in {folder}; end "
            "with Ctrl-C",
            markup=False,
        )
        _watch(graph, console)
    except KeyboardInterrupt:
        return 0
    finally:
        graph.stop()


def _watch(graph: "Supervisor", console: Console) -> NoReturn:
    """Tell of every node that ends, and give up when one ends again and again."""
    ends: Counter[str] = Counter()
    while True:
        for ending in graph.poll():
            ends[ending.name] += 1
            if ends[ending.name] >= MOST_STARTS:
                raise DeviceError(str(ending))
            console.print(str(ending), markup=False, soft_wrap=True)
        time.sleep(POLL_S)


def _check(rig: Rig, checkpoints: dict[Role, Path]) -> None:
    """Refuse at once what the servers would refuse; only the contracts are read."""
    from policy_ros.models.contract_file import read_contract  # noqa: PLC0415
    from policy_ros.serving.rig import RigFacts, check_fit  # noqa: PLC0415
    from tiltbot_ros.serving import ServedRigSettings  # noqa: PLC0415

    facts = RigFacts(**ServedRigSettings.of(rig).model_dump())
    for role, path in checkpoints.items():
        check_fit(read_contract(path.expanduser()), role, facts)
