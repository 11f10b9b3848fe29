"""`colcon build` of the same tree gives the same package as `pip install`."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2]
PREFIX = Path(sys.prefix)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def _environment(**changes):
    environment = {
        **os.environ,
        "AMENT_PREFIX_PATH": str(PREFIX),
        "PATH": f"{PREFIX / 'bin'}{os.pathsep}{os.environ['PATH']}",
        **changes,
    }
    environment.pop("PYTHONPATH", None)
    return environment


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A workspace that was built with colcon on top of the environment."""
    folder = tmp_path_factory.mktemp("colcon")
    built = subprocess.run(
        [
            *(PREFIX / "bin" / "colcon", "--log-base", folder / "log", "build"),
            *("--base-paths", SOURCE, "--packages-select", "tiltbot"),
            *("--build-base", folder / "build", "--install-base", folder / "install"),
            *("--event-handlers", "console_cohesion+", "--cmake-args", "-G", "Ninja"),
            *(f"-DPython3_EXECUTABLE={sys.executable}", "-DBUILD_TESTING=OFF"),
            # The same files without the time that optimizing takes.
            *("-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_FLAGS_RELEASE=-O0"),
            "-DCMAKE_CXX_FLAGS_RELEASE=-O0",
        ],
        cwd=folder,
        # Without it colcon starts no job while the load is high, as it is beside other tests.
        env=_environment(MAKEFLAGS=f"-j{os.cpu_count()}"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout[-5000:] + built.stderr[-5000:]
    return folder


def _in_workspace(workspace, script):
    """Run a line of bash as a user does who has sourced the workspace."""
    setup = shlex.quote(str(workspace / "install" / "local_setup.bash"))
    return subprocess.run(
        ["bash", "-c", f"source {setup} && {script}"],
        cwd=workspace,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _files(root, *, leave=()):
    return {
        str(file.relative_to(root))
        for file in root.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.name not in leave
    }


def test_share_and_executables_are_those_of_pip(workspace):
    colcon = workspace / "install" / "tiltbot"
    # colcon's own hooks, which a pip environment has no use for.
    hooks = {f"package.{shell}" for shell in ("bash", "ps1", "sh", "zsh", "dsv")}
    built = {
        name
        for name in _files(colcon / "share" / "tiltbot", leave=hooks)
        if not name.startswith("hook/")
    }
    installed = _files(PREFIX / "share" / "tiltbot", leave=hooks)
    assert built == installed
    assert _files(colcon / "lib" / "tiltbot") == _files(PREFIX / "lib" / "tiltbot")
    for name in _files(colcon / "lib" / "tiltbot"):
        assert os.access(colcon / "lib" / "tiltbot" / name, os.X_OK)


def test_a_symlink_install_could_run_the_scripts_of_the_build_folder(workspace):
    scripts = [
        workspace / "build" / "tiltbot" / "bin" / "tiltbot",
        *(workspace / "build" / "tiltbot" / "nodes").iterdir(),
    ]
    assert len(scripts) > 1
    for script in scripts:
        assert os.access(script, os.X_OK)


@pytest.mark.parametrize("package", ["policy_ros", "tiltbot", "tiltbot_ros"])
def test_python_packages_are_those_of_pip(workspace, package):
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folder = Path("lib") / version / "site-packages" / package
    assert _files(workspace / "install" / "tiltbot" / folder) == _files(PREFIX / folder)


def test_the_workspace_overlays_the_environment(workspace):
    asked = _in_workspace(
        workspace,
        "python3 -c 'import tiltbot.msg, tiltbot_ros.cli; "
        "from ament_index_python.packages import get_package_prefix as p; "
        'print(p("tiltbot"), tiltbot.msg.__file__, tiltbot_ros.cli.__file__, sep="\\n")\'',
    )
    assert asked.returncode == 0, asked.stderr
    lines = asked.stdout.split()
    assert len(lines) == 3
    for line in lines:
        assert line.startswith(str(workspace / "install" / "tiltbot"))


def test_a_node_of_the_workspace_starts(workspace, ros_environment):
    exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in ros_environment.items())
    ended = _in_workspace(
        workspace,
        f"{exports} install/tiltbot/lib/tiltbot/contact_node --ros-args -p nonsense:=1",
    )
    assert ended.returncode == 2
    assert "unknown parameter nonsense" in ended.stderr


def test_the_command_of_the_workspace_knows_its_verbs(workspace):
    shown = _in_workspace(workspace, "command -v tiltbot && tiltbot --help")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith(str(workspace / "install" / "tiltbot" / "bin" / "tiltbot"))
    assert "collect" in shown.stdout
    assert "replay" in shown.stdout
