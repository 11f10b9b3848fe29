"""Settings of the Sawyer driver."""

from pydantic import Field

from tiltbot_ros.settings import Settings


class SawyerSettings(Settings):
    """How the side process of Sawyer is started, and what it watches."""

    python: str = Field(
        "/usr/bin/python3",
        min_length=1,
        description="the Python of ROS 1 that runs the side process",
    )
    pythonpath: list[str] = Field(
        default=[],
        description="folders with rospy, intera_interface and its messages, such as "
        "/opt/ros/noetic/lib/python3/dist-packages and ~/ws/devel/lib/python3/dist-packages",
    )
    master_uri: str = Field(
        "", description="ROS_MASTER_URI of the robot, http://NAME.local:11311; empty: as it is set"
    )
    ros_ip: str = Field(
        "", description="ROS_IP of this computer in the robot's network; empty: as it is set"
    )
    limb: str = Field("right", min_length=1, description="limb of the SDK")
    start_s: float = Field(
        30.0, gt=0.0, le=300.0, description="longest wait for the robot's first answer [s]"
    )
    state_timeout_s: float = Field(
        0.2, gt=0.0, le=5.0, description="oldest joint state that counts as one [s]"
    )
    watchdog_s: float = Field(
        0.1,
        gt=0.0,
        le=2.0,
        description="silence of the node after which the side process brakes the robot [s]",
    )
    robot_timeout_s: float = Field(
        0.2,
        gt=0.0,
        le=2.0,
        description="silence of the side process after which the robot leaves the command (its "
        "joint_command_timeout) [s]",
    )
    robot_speed_ratio: float = Field(
        0.5,
        gt=0.0,
        le=1.0,
        description="share of its greatest speed that the robot itself allows; above "
        "guard.speed_ratio, or the robot falls behind",
    )
    braking_rad_s2: float = Field(
        2.5,
        gt=0.0,
        le=10.0,
        description="deceleration when the side process brakes; at most the robot's least "
        "acceleration [rad/s2]",
    )
    enable: bool = Field(
        default=False,
        description="switch the joints on at the start; else a robot that is off is a fault that "
        "a person clears",
    )
