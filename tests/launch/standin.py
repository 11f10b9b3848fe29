"""Records how launch files use the API of `launch` and `launch_ros`.

Only names, required arguments and the order of evaluation are those of the
real packages, which PyPI does not have. A name that is not here fails as it
would there.
"""

import sys
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType


class LaunchDescriptionEntity:
    pass


@dataclass
class LaunchDescription(LaunchDescriptionEntity):
    entities: list


@dataclass
class LaunchContext:
    launch_configurations: dict = field(default_factory=dict)


@dataclass
class DeclareLaunchArgument(LaunchDescriptionEntity):
    name: str
    _: object = field(kw_only=True, default=None)
    default_value: str | None = field(kw_only=True, default=None)
    description: str | None = field(kw_only=True, default=None)
    choices: list | None = field(kw_only=True, default=None)


@dataclass(kw_only=True)
class OpaqueFunction(LaunchDescriptionEntity):
    function: object


@dataclass(kw_only=True)
class Shutdown(LaunchDescriptionEntity):
    reason: str


@dataclass
class ParameterValue:
    value: object
    value_type: type | None = field(kw_only=True, default=None)


@dataclass(kw_only=True)
class Node(LaunchDescriptionEntity):
    package: str
    executable: str
    name: str
    namespace: str
    parameters: list
    ros_arguments: list
    additional_env: dict
    output: str
    respawn: bool
    respawn_delay: float
    on_exit: object


MODULES = {
    "launch": (LaunchContext, LaunchDescription, LaunchDescriptionEntity),
    "launch.actions": (DeclareLaunchArgument, OpaqueFunction, Shutdown),
    "launch_ros": (),
    "launch_ros.actions": (Node,),
    "launch_ros.parameter_descriptions": (ParameterValue,),
}


class InvalidArgumentError(Exception):
    """A launch argument is missing or not among its choices."""


def install(monkeypatch):
    """Put the stand-ins where `import launch` finds them, and forget them afterwards."""
    for name, members in MODULES.items():
        module = ModuleType(name)
        for member in members:
            setattr(module, member.__name__, member)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "tiltbot_ros.launching", raising=False)


def load(path):
    """Return what a launch file describes."""
    spec = spec_from_file_location(path.name.replace(".", "_"), path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.generate_launch_description()


def execute(description, **arguments):
    """Return the actions that a launch with these arguments would start."""
    context = LaunchContext(dict(arguments))
    started = []
    for entity in description.entities:
        if isinstance(entity, DeclareLaunchArgument):
            value = context.launch_configurations.setdefault(entity.name, entity.default_value)
            if value is None or (entity.choices and value not in entity.choices):
                raise InvalidArgumentError(f"{entity.name}:={value}")
        elif isinstance(entity, OpaqueFunction):
            started += entity.function(context)
        else:
            started.append(entity)
    return started
