"""`tiltbot doctor`: arms without a device, kinematics, and what a person leads an arm with."""

import os
import socket

import pytest

from tiltbot_ros.commands.doctor import _needs
from tiltbot_ros.doctor import arm, teleoperation
from tiltbot_ros.doctor.findings import NEEDS, Needs


@pytest.fixture
def needs(tmp_path):
    """Return what a rig of the test needs, after the way to the other process."""

    def of(text: str) -> Needs:
        rig = tmp_path / "lab.yaml"
        rig.write_text(text)
        found, problems = _needs(str(rig), tmp_path)
        assert problems is None
        return NEEDS.validate_json(NEEDS.dump_json(found))

    return of


def rig(source, **more):
    groups = {"arm": "{driver: kinematic}", "teleop": f"{{source: {source}}}", **more}
    return "".join(f"{name}: {value}\n" for name, value in groups.items())


def source_of(needs):
    (finding,) = teleoperation.examine(needs)
    return finding.status, finding.text


def test_a_gamepad_is_there_or_is_named(needs, tmp_path):
    device = tmp_path / "js0"
    text = rig("gamepad", gamepad=f"{{device: {device}}}")
    status, words = source_of(needs(text))
    assert status == "warn"
    assert f"expected a gamepad at {device}" in words
    os.mkfifo(device)
    assert source_of(needs(text)) == ("ok", f"gamepad: {device} is there")


def test_a_headset_needs_a_port_and_off_the_loopback_a_certificate(needs):
    assert source_of(needs(rig("headset", headset="{port: 0}")))[0] == "ok"
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = needs(rig("headset", headset=f"{{port: {other.getsockname()[1]}}}"))
        assert "headset.port" in source_of(taken)[1]
    status, words = source_of(needs(rig("headset", headset="{host: 0.0.0.0}")))
    assert status == "warn"
    assert "headset.certificate" in words


def test_a_keyboard_and_a_rig_that_nobody_leads_need_nothing(needs):
    assert source_of(needs(rig("keyboard")))[0] == "ok"
    simulated, _ = _needs("sim", None)
    assert "no arm" in source_of(simulated)[1]


@pytest.mark.parametrize("name", ["arm_sim", "sawyer", "kinova"])
def test_the_tool_of_every_rig_that_takes_joints_has_kinematics(name, tmp_path):
    found, _ = _needs(name, tmp_path)
    finding = arm._kinematics(found)
    assert finding.status == "ok", finding.text


def test_a_tool_that_the_model_does_not_have_fails(needs):
    (_, finding) = arm.examine(needs(rig("keyboard", tool="{site: pencil}")))
    assert finding.status == "fail"
    assert "expected tool.site among" in finding.text


def test_a_simulated_arm_stands_or_its_model_is_missing(needs, tmp_path, monkeypatch):
    model, kinematics = arm.examine(needs("arm: {driver: mujoco}\n"))
    assert (model.status, kinematics.status) == ("ok", "ok")
    assert "plain.xml" in model.text
    monkeypatch.setenv("ROBOT_DESCRIPTIONS_CACHE", str(tmp_path))
    monkeypatch.setenv("TILTBOT_ROBOT_MODELS", str(tmp_path))
    named = f"{{robot: panda, model: {tmp_path / 'panda.xml'}}}"
    model, kinematics = arm.examine(needs(f"arm: {{driver: mujoco}}\nmujoco_arm: {named}\n"))
    assert (model.status, kinematics.status) == ("fail", "fail")
    assert "does not exist" in model.text
    assert "tool.model" in kinematics.text
