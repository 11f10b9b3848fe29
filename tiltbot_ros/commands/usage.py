"""A command line that parses but makes no sense."""

from tiltbot_ros.errors import ConfigError


class UsageError(ConfigError):
    """Options that do not go together; the command ends with status 2, as for an unknown one."""
