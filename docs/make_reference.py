"""Write docs/reference.md: topics, parameters and interfaces, from the code's own tables.

Run `.venv/bin/python docs/make_reference.py`; with `--check` it only compares.
"""

import sys
from pathlib import Path
from typing import Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from tiltbot_ros.arms.drivers import ARMS
from tiltbot_ros.bringup import DRIVES_ARM, GROUPS
from tiltbot_ros.demonstrations.settings import DemonstrationSessionSettings
from tiltbot_ros.rigs import Rig
from tiltbot_ros.serving import (
    EXECUTABLES,
    LiveEvaluationSettings,
    ServedRigSettings,
    ServingSettings,
)
from tiltbot_ros.session import SessionSettings
from tiltbot_ros.settings import Settings
from tiltbot_ros.topics import TOPICS, Topic

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "reference.md"


def _range(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
    signs = {Ge: ("≥", "ge"), Gt: (">", "gt"), Le: ("≤", "le"), Lt: ("<", "lt")}
    rules = [rule for rule in field.metadata if type(rule) in signs]
    return ", ".join(
        f"{signs[type(rule)][0]} {getattr(rule, signs[type(rule)][1]):g}" for rule in rules
    )


def _topic(topic: Topic) -> str:
    cells = (
        f"`{topic.name}`",
        f"`{topic.type}`",
        topic.source if topic.steady else "event",
        str(topic.depth),
        "yes" if topic.latched else "",
        topic.content,
    )
    return f"| {' | '.join(cells)} |"


def _group(name: str, model: type[Settings], *others: str) -> list[str]:
    """Describe a group; `others` are nodes that use it beside those of the table."""
    of_driver = DRIVES_ARM if any(name in kind.groups for kind in ARMS.values()) else ()
    users = [
        executable
        for executable, groups in GROUPS.items()
        if name in groups or executable in of_driver
    ]
    users += others
    summary = (model.__doc__ or "").strip().splitlines()[0]
    lines = [
        f"### `{name}`",
        "",
        f"{summary} Used by {', '.join(f'`{user}`' for user in users)}.",
        "",
        "| setting | default | range | meaning |",
        "|---|---|---|---|",
    ]
    for key, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        lines.append(f"| `{key}` | `{default!r}` | {_range(field)} | {field.description or ''} |")
    return [*lines, ""]


def _settings_of(field: FieldInfo) -> type[Settings] | None:
    for candidate in (field.annotation, *get_args(field.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Settings):
            return candidate
    return None


def reference() -> str:
    """Return the text of docs/reference.md."""
    lines = [
        "# Reference",
        "",
        "Made from the code by `docs/make_reference.py`.",
        "",
        "## Topics",
        "",
        "All names are relative: a namespace moves the whole rig. Every publisher is reliable;",
        "override a quality with the parameters `qos_overrides.<topic>.publisher.<policy>`.",
        "",
        "| topic | type | rate | depth | latched | content |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_topic(topic) for topic in TOPICS]
    lines += ["", "## Settings of a rig", ""]
    lines += [
        "A rig's YAML has these groups; each setting is the ROS parameter `group.setting` of the",
        "nodes that use the group, read once when the node starts.",
        "",
    ]
    for name, field in Rig.model_fields.items():
        model = _settings_of(field)
        if model is not None:
            lines += _group(name, model)
    lines += _group("session", SessionSettings, "recorder_node")
    lines += _group("demonstration_session", DemonstrationSessionSettings, "demonstration_node")
    lines += ["## Settings of the servers", ""]
    servers = sorted(EXECUTABLES.values())
    lines += _group("serving", ServingSettings, *servers)
    lines += _group("live", LiveEvaluationSettings, "live_evaluation_node")
    lines += _group("rig", ServedRigSettings, *servers, "live_evaluation_node")
    lines += ["## Interfaces", ""]
    for kind in ("msg", "srv", "action"):
        for file in sorted((ROOT / kind).iterdir()):
            lines += [f"### `tiltbot/{kind}/{file.stem}`", "", "```", file.read_text().strip()]
            lines += ["```", ""]
    return "\n".join(lines)


def main() -> int:
    """Write the page, or compare it with `--check`."""
    text = reference()
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.read_text() == text else 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
