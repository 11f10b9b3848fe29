"""What a model must know of the rig that it is served on, and whether it fits."""

from dataclasses import dataclass

from policy_ros.data.store_settings import StoreSettings
from policy_ros.models.contract import Contract
from tiltbot_ros.errors import ModelError
from tiltbot_ros.serving import Role

_NEEDS: dict[Role, tuple[str, ...]] = {
    "inverse": ("spectrogram", "before"),
    "forward": ("spectrogram", "location_before", "action"),
    "classify": ("spectrogram", "before"),
}
"""Inputs that a goal of each kind can give."""

_GIVES: dict[Role, str] = {
    "inverse": "action",
    "forward": "location_after",
    "classify": "logits",
}

_SAME = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class RigFacts:
    """A rig as a model sees it.

    Attributes:
        sample_rate_hz: of its microphones [Hz].
        channels: how many there are.
        max_tilt_rad: tilt of an action of 1 [rad].
        tray_size_m: inner length of the tray's sides [m].
    """

    sample_rate_hz: int
    channels: int
    max_tilt_rad: float
    tray_size_m: float

    @property
    def half_side_m(self) -> float:
        """Location of 1 [m]."""
        return self.tray_size_m / 2


def check_fit(contract: Contract, role: Role, rig: RigFacts) -> None:
    """See whether a model can be served on a rig.

    Raises:
        ModelError: it cannot; the message gives every reason.
    """
    reasons = [*_wrong_kind(contract, role), *_wrong_rig(contract, rig)]
    if reasons:
        raise ModelError(
            f"the model '{contract.model}' ({contract.signature}) cannot be served as '{role}' on "
            f"this rig: {'; '.join(reasons)}"
        )


def store_settings(contract: Contract, rig: RigFacts) -> StoreSettings:
    """Return the settings of the store whose rows the model expects, for this rig's sound."""
    return StoreSettings(
        front_end=contract.front_end,
        seconds=contract.seconds,
        channels=rig.channels,
        picture_size=contract.picture_size,
        tray_size_m=rig.tray_size_m,
        max_tilt_rad=rig.max_tilt_rad,
    )


def _wrong_kind(contract: Contract, role: Role) -> list[str]:
    reasons = []
    outputs = [quantity.name for quantity in contract.outputs]
    if _GIVES[role] not in outputs:
        reasons.append(f"expected the output '{_GIVES[role]}', it has {', '.join(outputs)}")
    beyond = [q.name for q in contract.inputs if q.name not in _NEEDS[role]]
    if beyond:
        reasons.append(
            f"it asks for {', '.join(beyond)}, and a goal gives {', '.join(_NEEDS[role])}"
        )
    if role == "classify" and not contract.classes:
        reasons.append("it knows no names of objects")
    return reasons


def _wrong_rig(contract: Contract, rig: RigFacts) -> list[str]:
    reasons = []
    if max(contract.microphones) >= rig.channels:
        reasons.append(
            f"it listens to the microphones {list(contract.microphones)}, the rig has "
            f"0 to {rig.channels - 1}"
        )
    if rig.sample_rate_hz < contract.front_end.sample_rate_hz:
        reasons.append(
            f"it hears at {contract.front_end.sample_rate_hz} Hz, the rig's microphones run at "
            f"{rig.sample_rate_hz} Hz"
        )
    for what, unit, model, here in (
        ("an action of 1", "rad", contract.max_tilt_rad, rig.max_tilt_rad),
        ("a location of 1", "m", contract.half_side_m, rig.half_side_m),
    ):
        if model is None:
            reasons.append(f"it does not say what {what} is")
        elif abs(model - here) > _SAME * max(model, here):
            reasons.append(f"{what} is {model:g} {unit} to it and {here:g} {unit} here")
    return reasons
