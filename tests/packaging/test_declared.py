"""What the package imports is what package.xml and pyproject.toml declare."""

import ast
import itertools
import re
import sys
import tomllib
from pathlib import Path

import pytest
from catkin_pkg.package import parse_package

SOURCE = Path(__file__).parents[2]
OWN = {"tiltbot", "tiltbot_ros", "policy_ros"}

# rosdep keys and PyPI names that differ from the module's.
ROSDEP = {
    "cv2": "python3-opencv",
    "matplotlib": "python3-matplotlib",
    "numpy": "python3-numpy",
    "pydantic": "python3-pydantic",
    "rich": "python3-rich",
    "scipy": "python3-scipy",
    "soundfile": "python3-soundfile",
    "yaml": "python3-yaml",
}
PYPI = {
    "cv2": "opencv-python-headless",
    "franky": "franky-control",
    "rerun": "rerun-sdk",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
# Modules that come with another distribution.
PART_OF = {"annotated_types": "pydantic", "pydantic_core": "pydantic"}
# With a normal ROS 2 installation only: not on PyPI.
ROS_ONLY = {"launch", "launch_ros", "message_filters"}
# Declared for another reason than an import.
NOT_IMPORTED = {
    "action_msgs",
    "builtin_interfaces",
    "ros2launch",
    "rosidl_default_runtime",
    "std_msgs",
}


def _imports(folder):
    for file in sorted((SOURCE / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            else:
                continue
            for name in names:
                yield name.split(".")[0], file.relative_to(SOURCE)


@pytest.fixture(scope="module")
def imported():
    """Modules from elsewhere, each with a file that imports it."""
    found = {
        PART_OF.get(name, name): file
        for folder in ("tiltbot_ros", "policy_ros", "launch")
        for name, file in _imports(folder)
    }
    return {
        name: file
        for name, file in found.items()
        if name not in OWN and name not in sys.stdlib_module_names
    }


@pytest.fixture(scope="module")
def package():
    return parse_package(str(SOURCE / "package.xml"))


@pytest.fixture(scope="module")
def declared(package):
    return {dependency.name for dependency in package.exec_depends}


@pytest.fixture(scope="module")
def from_pypi():
    """What package.xml says has no rosdep key."""
    text = (SOURCE / "package.xml").read_text()
    note = re.search(r"Without a rosdep key.*?-->", text, re.DOTALL).group()
    return {word for word in re.findall(r"\b(\w+)\s+\(", note) if word != "PyPI"}


@pytest.fixture(scope="module")
def distributions():
    """What pip installs, extras included; those of developers do not count."""
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]
    extras = [v for k, v in project["optional-dependencies"].items() if k != "dev"]
    named = itertools.chain(project["dependencies"], *extras)
    return {re.split(r"[\[<>=!~ ]", text)[0] for text in named}


def test_package_xml_is_valid_and_warns_of_nothing(package):
    warnings = []
    package.validate(warnings=warnings)
    assert warnings == []
    assert package.name == "tiltbot"
    assert package.get_build_type() == "ament_cmake"
    assert [group.name for group in package.member_of_groups] == ["rosidl_interface_packages"]


def test_every_dependency_says_why_it_is_there():
    # A comment may stand for the dependencies that follow it directly.
    lines = [line.strip() for line in (SOURCE / "package.xml").read_text().splitlines()]
    start = next(i for i, line in enumerate(lines) if "rosidl_default_generators" in line)
    unexplained, explained = [], False
    for line in lines[start + 1 :]:
        if line.endswith("-->"):
            explained = True
        elif not line:
            explained = False
        elif "depend>" in line and not explained:
            unexplained.append(line)
    assert set(unexplained) <= {
        "<exec_depend>rosidl_default_runtime</exec_depend>",
        "<exec_depend>rclpy</exec_depend>",
        "<test_depend>python3-pytest</test_depend>",
    }


def test_every_import_is_declared_for_ros(imported, declared, from_pypi):
    missing = {
        name: str(file)
        for name, file in imported.items()
        if ROSDEP.get(name, name) not in declared | from_pypi
    }
    assert missing == {}


def test_every_import_is_declared_for_pip(imported, declared, distributions):
    missing = {
        name: str(file)
        for name, file in imported.items()
        if PYPI.get(name, name) not in distributions and name not in declared
    }
    assert missing == {}


def test_nothing_is_declared_that_is_not_imported(imported, declared):
    used = {ROSDEP.get(name, name) for name in imported}
    assert declared - used - NOT_IMPORTED == set()


def test_only_launching_and_launch_files_import_launch():
    importers = {
        str(file)
        for folder in ("tiltbot_ros", "policy_ros", "launch")
        for name, file in _imports(folder)
        if name in {"launch", "launch_ros"}
    }
    assert {file for file in importers if not file.startswith("launch/")} == {
        "tiltbot_ros/launching.py"
    }


def test_ros_modules_that_are_not_on_pypi_are_not_needed_without_ros():
    """Outside of launching.py, such an import must be one that may fail."""
    unguarded = []
    for file in sorted([*SOURCE.glob("tiltbot_ros/**/*.py"), *SOURCE.glob("policy_ros/**/*.py")]):
        if file.name == "launching.py":
            continue
        tree = ast.parse(file.read_text())
        guarded = {
            child
            for node in ast.walk(tree)
            if isinstance(node, ast.Try)
            and any("ImportError" in ast.unparse(handler.type) for handler in node.handlers)
            for child in node.body
        }
        unguarded += [
            str(file)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            and node.module
            and node.module.split(".")[0] in ROS_ONLY
            and node not in guarded
        ]
    assert unguarded == []


def test_versions_of_the_package_agree(package):
    from importlib.metadata import version  # noqa: PLC0415

    assert version("tiltbot") == package.version


def test_tiltbot_ros_imports_nothing_that_learns():
    heavy = {"lightning", "policy_ros", "sklearn", "torch", "torchmetrics", "transformers"}
    importers = {str(file) for name, file in _imports("tiltbot_ros") if name in heavy}
    assert importers == set()


def test_policy_ros_imports_the_cores_but_no_node_of_tiltbot_ros():
    """Its own nodes may use what every node uses."""
    importers = {
        str(file)
        for file in sorted((SOURCE / "policy_ros").rglob("*.py"))
        if file.parent.name != "nodes" and "tiltbot_ros.nodes" in file.read_text()
    }
    assert importers == set()
