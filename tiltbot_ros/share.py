"""Where the package's own data files lie."""

from pathlib import Path

from ament_index_python.packages import (  # type: ignore[import-untyped]
    PackageNotFoundError,
    get_package_share_directory,
)

from tiltbot_ros.errors import ConfigError

_SOURCE = Path(__file__).resolve().parents[1]


def share_directory() -> Path:
    """Return the folder that holds `config`, `launch`, `msg` and `resource`.

    In a source tree that is the tree itself; installed, it is
    `share/tiltbot` of the ament prefix.

    Raises:
        ConfigError: the package is not installed in any ament prefix.
    """
    if (_SOURCE / "package.xml").is_file():
        return _SOURCE
    try:
        return Path(get_package_share_directory("tiltbot"))
    except (PackageNotFoundError, LookupError) as error:
        raise ConfigError(
            "expected the package 'tiltbot' in AMENT_PREFIX_PATH, found none: "
            "install it (./run setup) or source its workspace"
        ) from error
