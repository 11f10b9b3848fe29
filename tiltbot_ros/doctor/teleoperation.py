"""What a person leads the arm with: is it there, and can it be used?"""

from tiltbot_ros.doctor.findings import Finding, Needs, ok, warn
from tiltbot_ros.errors import TiltbotError
from tiltbot_ros.teleop.opening import SourceSetup, make_source


def examine(needs: Needs) -> list[Finding]:
    """Open the pose source of the rig, and close it again.

    It is no failure when that does not work: who only collects needs none.
    """
    setup = needs.source
    if setup is None:
        return [ok("source", f"rig '{needs.rig}' has no arm that a person leads")]
    name = setup.teleop.source
    # This process has no terminal; the one that leads the arm looks at its own.
    if name != "keyboard":
        try:
            source = make_source(setup)
            source.open()
        except TiltbotError as error:
            return [warn("source", f"{name}: {error}", "docs/teleop.md; or take --source keyboard")]
        source.close()
    return [ok("source", _words(setup))]


def _words(setup: SourceSetup) -> str:
    words = {
        "keyboard": "that of the terminal in which `tiltbot teleop` runs",
        "gamepad": f"{setup.gamepad.device} is there",
        "headset": f"its page can be served on {setup.headset.host}:{setup.headset.port}",
        "scripted": f"shows '{setup.scripted.motion}'",
    }
    name = setup.teleop.source
    return f"{name}: {words[name]}"
