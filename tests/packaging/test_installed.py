"""An environment that tiltbot was installed into with pip is a complete ament prefix."""

import os
import subprocess
import sys
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from ament_index_python.packages import (
    get_package_prefix,
    get_package_share_directory,
    get_packages_with_prefixes,
)

SOURCE = Path(__file__).parents[2]
PREFIX = Path(sys.prefix)
PACKAGES = ("policy_ros", "tiltbot_ros")
NODES = sorted(
    file.stem for package in PACKAGES for file in (SOURCE / package / "nodes").glob("*_node.py")
)


def test_ament_index_finds_the_package_in_the_environment():
    assert Path(get_packages_with_prefixes()["tiltbot"]).samefile(PREFIX)
    assert Path(get_package_prefix("tiltbot")).samefile(PREFIX)
    assert Path(get_package_share_directory("tiltbot")).samefile(PREFIX / "share" / "tiltbot")


def test_ament_index_finds_it_without_any_variable():
    environment = {k: v for k, v in os.environ.items() if k != "AMENT_PREFIX_PATH"}
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "from ament_index_python.packages import get_package_prefix as p; print(p('tiltbot'))",
        ],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(found.stdout.strip()).samefile(PREFIX)


def test_share_is_registered_as_an_interface_package():
    index = PREFIX / "share" / "ament_index" / "resource_index"
    interfaces = (index / "rosidl_interfaces" / "tiltbot").read_text().split()
    for folder in ("msg", "srv", "action"):
        for file in (SOURCE / folder).iterdir():
            assert f"{folder}/{file.name}" in interfaces


@pytest.mark.parametrize("folder", ["msg", "srv", "action", "launch", "config"])
def test_share_holds_the_files_of_the_source(folder):
    installed = PREFIX / "share" / "tiltbot" / folder
    files = [
        f for f in (SOURCE / folder).rglob("*") if f.is_file() and "__pycache__" not in f.parts
    ]
    assert files
    for file in files:
        copy = installed / file.relative_to(SOURCE / folder)
        assert copy.read_bytes() == file.read_bytes(), f"run ./run setup: {copy} is old"


@pytest.mark.parametrize("package", PACKAGES)
def test_the_python_package_has_the_modules_of_the_source_and_no_others(package):
    def modules(folder):
        return {str(file.relative_to(folder)) for file in folder.rglob("*.py")}

    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    installed = PREFIX / "lib" / version / "site-packages" / package
    assert modules(installed) == modules(SOURCE / package), "run ./run setup"


@pytest.mark.parametrize("kind", ["msg", "srv", "action"])
def test_every_interface_can_be_imported(kind):
    module = import_module(f"tiltbot.{kind}")
    for file in (SOURCE / kind).iterdir():
        assert hasattr(module, file.stem)


def test_every_node_has_an_executable_and_there_are_no_others():
    folder = PREFIX / "lib" / "tiltbot"
    assert sorted(file.name for file in folder.iterdir()) == NODES
    for name in NODES:
        assert os.access(folder / name, os.X_OK)


def test_every_verb_can_be_loaded_and_is_described():
    verbs = entry_points(group="tiltbot.verbs")
    names = {"collect", "doctor", "episodes", "generate", "replay", "segment"}
    assert names <= {verb.name for verb in verbs}
    for verb in verbs:
        assert verb.load().__doc__


def test_the_command_is_on_the_path_of_the_environment():
    shown = subprocess.run(
        [PREFIX / "bin" / "tiltbot", "--help"], capture_output=True, text=True, check=True
    )
    assert "collect" in shown.stdout
    assert "replay" in shown.stdout


NEEDED = dict.fromkeys(("arm_node", "tray_node"), ("-p", "arm.driver:=kinematic"))
"""What a node must be told before it knows its parameters: they are those of the driver."""


@pytest.mark.graph
@pytest.mark.parametrize("name", NODES)
@pytest.mark.usefixtures("ros_environment")
def test_a_node_refuses_a_parameter_that_it_does_not_know(name):
    """Also says that every executable starts: imports, declarations and all."""
    ended = subprocess.run(
        [
            sys.executable,
            PREFIX / "lib" / "tiltbot" / name,
            "--ros-args",
            *NEEDED.get(name, ()),
            "-p",
            "nonsense:=1",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "unknown parameter nonsense" in ended.stderr
    assert "known are:" in ended.stderr
    assert "Traceback" not in ended.stderr
