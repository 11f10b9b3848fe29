"""Where the package's own files lie."""

from pathlib import Path

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
)

from tiltbot_ros.errors import ConfigError

PACKAGE = "tiltbot"

_SOURCE = Path(__file__).resolve().parents[1]


def _prefix() -> Path:
    try:
        return Path(get_package_prefix(PACKAGE))
    except (PackageNotFoundError, LookupError) as error:
        raise ConfigError(
            f"expected the package '{PACKAGE}' in AMENT_PREFIX_PATH, found none: install it "
            f"(./run setup) or source its workspace"
        ) from error


def share_directory() -> Path:
    """Return the folder that holds `config`, `launch` and `msg`.

    In a source tree that is the tree itself; installed, it is
    `share/tiltbot` of the ament prefix.

    Raises:
        ConfigError: the package is not installed in any ament prefix.
    """
    if (_SOURCE / "package.xml").is_file():
        return _SOURCE
    return _prefix() / "share" / PACKAGE


def executable_directory() -> Path:
    """Return the folder that holds the nodes' executables, `lib/tiltbot`.

    Raises:
        ConfigError: the package is not installed in any ament prefix.
    """
    return _prefix() / "lib" / PACKAGE
