"""Settings of an arm's tool, and of reaching poses by joints."""

from pydantic import Field

from tiltbot_ros.settings import Settings, Vector3


class ToolSettings(Settings):
    """Where the tool is on an arm that takes joints, and how near its poses have to come."""

    model: str = Field(
        "", description="MJCF or URDF of the arm; empty: config/robots/ROBOT.xml, without meshes"
    )
    site: str = Field(
        "", description="site or body that is the tool; empty: the site 'tool' of the model"
    )
    offset_m: Vector3 = Field(
        default=[0.0, 0.0, 0.0],
        description="centre of the tool in the frame of the site [m]",
    )
    rotation_rad: Vector3 = Field(
        default=[0.0, 0.0, 0.0],
        description="rotation vector from the frame of the site to the tool's [rad]",
    )
    miss_m: float = Field(
        0.1,
        gt=0.0,
        le=1.0,
        description="farthest that the joints may leave the tool from where it is told to be [m]",
    )
    miss_rad: float = Field(0.5, gt=0.0, le=3.0, description="the same of its orientation [rad]")
    miss_s: float = Field(
        0.5,
        gt=0.0,
        le=10.0,
        description="how long it may be farther than that before the arm has a fault [s]",
    )
    singular: float = Field(
        0.03,
        ge=0.0,
        le=1.0,
        description="least singular value of the Jacobian (m and rad) below which a pose counts "
        "as near a singularity",
    )
