"""ROS parameters made from groups of settings: declared, described, bounded."""

from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from tiltbot_ros.errors import ConfigError
from tiltbot_ros.settings import Settings, explain

S = TypeVar("S", bound=Settings)

_UNBOUNDED = 1e300
_UNBOUNDED_INT = 2**62

_TYPES = {
    bool: Parameter.Type.BOOL,
    int: Parameter.Type.INTEGER,
    float: Parameter.Type.DOUBLE,
    str: Parameter.Type.STRING,
}
_ARRAYS = {
    bool: Parameter.Type.BOOL_ARRAY,
    int: Parameter.Type.INTEGER_ARRAY,
    float: Parameter.Type.DOUBLE_ARRAY,
    str: Parameter.Type.STRING_ARRAY,
}


def _parameter_type(annotation: Any) -> Parameter.Type:
    origin = get_origin(annotation)
    if origin is Literal:
        return _TYPES[type(get_args(annotation)[0])]
    if origin in (list, tuple):
        of = get_args(annotation)[0]
        # The bounds of its elements are checked with the values.
        return _ARRAYS[get_args(of)[0] if get_origin(of) is Annotated else of]
    if origin is UnionType or annotation not in _TYPES:
        raise TypeError(f"a setting of type {annotation} has no ROS parameter type")
    return _TYPES[annotation]


def _bounds(field: FieldInfo) -> tuple[float | None, float | None]:
    low = high = None
    for rule in field.metadata:
        if isinstance(rule, Ge | Gt):
            low = rule.ge if isinstance(rule, Ge) else rule.gt
        elif isinstance(rule, Le | Lt):
            high = rule.le if isinstance(rule, Le) else rule.lt
    return low, high  # type: ignore[return-value]


def _descriptor(name: str, field: FieldInfo, kind: Parameter.Type) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(
        name=name, type=kind.value, description=field.description or "", read_only=True
    )
    if get_origin(field.annotation) is Literal:
        choices = ", ".join(str(choice) for choice in get_args(field.annotation))
        descriptor.additional_constraints = f"one of: {choices}"
    low, high = _bounds(field)
    if low is None and high is None:
        return descriptor
    if kind is Parameter.Type.INTEGER:
        descriptor.integer_range = [
            IntegerRange(
                from_value=int(low) if low is not None else -_UNBOUNDED_INT,
                to_value=int(high) if high is not None else _UNBOUNDED_INT,
                step=1,
            )
        ]
    elif kind is Parameter.Type.DOUBLE:
        descriptor.floating_point_range = [
            FloatingPointRange(
                from_value=float(low) if low is not None else -_UNBOUNDED,
                to_value=float(high) if high is not None else _UNBOUNDED,
            )
        ]
    return descriptor


def declare(node: Node, model: type[S], group: str) -> S:
    """Declare one parameter `group.field` for every field of `model`; return the values.

    The settings are read once, so the parameters are read-only.

    Raises:
        ConfigError: a value has the wrong type or lies outside its bounds.
    """
    values: dict[str, Any] = {}
    for key, field in model.model_fields.items():
        name = f"{group}.{key}"
        kind = _parameter_type(field.annotation)
        default = field.get_default(call_default_factory=True)
        if isinstance(default, tuple):
            default = list(default)
        try:
            value = node.declare_parameter(
                name,
                # An empty list has no element type, so the type is given apart.
                Parameter(name, kind, default).value if default != [] else kind,
                _descriptor(name, field, kind),
            ).value
        except (InvalidParameterTypeException, ParameterException, TypeError) as error:
            raise ConfigError(f"parameter '{name}' ({field.description}): {error}") from error
        values[key] = default if value is None else _plain(value)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(explain(error, group)) from error


def declare_dry_run(node: Node) -> bool:
    """Declare the parameter `dry_run`; return whether nothing may be sent to a device."""
    description = "publish what the device would be told, and send it nothing"
    return bool(
        node.declare_parameter(
            "dry_run",
            value=False,
            descriptor=ParameterDescriptor(
                name="dry_run",
                type=Parameter.Type.BOOL.value,
                description=description,
                read_only=True,
            ),
        ).value
    )


def _plain(value: Any) -> Any:
    """Return arrays as lists: rclpy hands out array.array for numbers."""
    return list(value) if not isinstance(value, str | bool | int | float) else value


def refuse_unknown(node: Node) -> None:
    """Refuse parameters that were given to the node and that it never declared.

    Raises:
        ConfigError: one is unknown; the message lists the known ones.
    """
    given = set(node._parameter_overrides)  # noqa: SLF001 - rclpy has no public list of them
    known = set(node._parameters)  # noqa: SLF001
    unknown = sorted(
        name for name in given - known if not name.startswith(("qos_overrides.", "use_sim_time"))
    )
    if unknown:
        raise ConfigError(
            f"unknown parameter {', '.join(unknown)} of node '{node.get_name()}'; "
            f"known are: {', '.join(sorted(known))}"
        )
