"""Build with pip: run the CMake build, then pack what it installs into a wheel.

The ROS 2 wheels of PyPI make the environment itself an ament prefix, so the
files outside Python's packages are laid relative to the environment's root.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import ament_package
from catkin_pkg.package import parse_package
from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

SOURCE = Path(__file__).resolve().parent
# The prefix that holds the build requirements: the environment's root, or
# pip's overlay when the build is isolated.
PREFIX = Path(ament_package.__file__).resolve().parents[4]
BUILD = SOURCE / "build" / f"pip-{sys.implementation.cache_tag}"


class BinaryDistribution(Distribution):
    """A distribution that is specific to its platform."""

    def has_ext_modules(self) -> bool:
        """Say so: the interfaces are compiled."""
        return True


class BuildWithCMake(build_py):
    """Configure, build and stage with CMake, then collect the staged files."""

    def run(self) -> None:
        """Fill `build_lib` with the packages and `data_files` with the rest."""
        stage = BUILD / "stage"
        # What an earlier build left there would go into the wheel, too.
        for folder in (stage, Path(self.build_lib)):
            shutil.rmtree(folder, ignore_errors=True)
        environment = os.environ | {
            "AMENT_PREFIX_PATH": str(PREFIX),
            "PATH": f"{PREFIX / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}"
            f"{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        configure = [
            "cmake", "-S", SOURCE, "-B", BUILD, "-G", "Ninja",
            f"-DCMAKE_PREFIX_PATH={PREFIX}",
            f"-DPython3_EXECUTABLE={sys.executable}",
            f"-DCMAKE_INSTALL_PREFIX={stage}",
            "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=OFF",
        ]  # fmt: skip
        for command in (
            configure,
            ["cmake", "--build", BUILD],
            ["cmake", "--install", BUILD, "--strip"],
        ):
            subprocess.run(command, check=True, env=environment)  # noqa: S603
        packages = next(stage.glob("lib/python*/site-packages"))
        for package in packages.iterdir():
            if package.suffix != ".egg-info":
                shutil.copytree(
                    package,
                    Path(self.build_lib) / package.name,
                    dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("__pycache__"),
                )
        # `import rclpy` needs no environment variable; this makes the ament
        # index find the prefix without one too.
        shutil.copy(SOURCE / "resource" / "tiltbot.pth", self.build_lib)
        self.distribution.data_files = [
            (str(file.parent.relative_to(stage)), [str(file)])
            for file in sorted(stage.rglob("*"))
            if file.is_file()
            and packages not in file.parents
            and file.relative_to(stage).parts[0] not in {"include", "bin"}
        ]


setup(
    version=parse_package(str(SOURCE / "package.xml")).version,
    packages=["policy_ros", "tiltbot_ros"],
    distclass=BinaryDistribution,
    cmdclass={"build_py": BuildWithCMake},
)
