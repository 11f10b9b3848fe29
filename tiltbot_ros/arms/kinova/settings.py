"""Settings of the Kinova driver."""

from typing import Literal

from pydantic import Field

from tiltbot_ros.settings import Settings


class KinovaSettings(Settings):
    """The topics of ros2_kortex, and what the driver watches.

    Names of topics are absolute, or relative to `namespace`.
    """

    namespace: str = Field("/", description="namespace of the controllers")
    mode: Literal["trajectory", "twist"] = Field(
        "trajectory",
        description="'trajectory': joints to joint_trajectory_controller, the better one; "
        "'twist': poses as velocities to twist_controller",
    )
    joint_states: str = Field("joint_states", description="topic of the measured joints")
    trajectory: str = Field(
        "joint_trajectory_controller/joint_trajectory", description="topic of the trajectories"
    )
    twist: str = Field("twist_controller/commands", description="topic of the velocities")
    start_s: float = Field(
        10.0, gt=0.0, le=300.0, description="longest wait for the controllers [s]"
    )
    state_timeout_s: float = Field(
        0.2, gt=0.0, le=5.0, description="oldest joint state that counts as one [s]"
    )
    blind_s: float = Field(
        0.1,
        gt=0.0,
        le=1.0,
        description="age of the joint states from which on nothing more is sent, so that the arm "
        "brakes [s]",
    )
    latency_s: float = Field(
        0.02,
        ge=0.002,
        le=0.5,
        description="longest way of a trajectory to its controller, jitter of the cycles included; "
        "the arm follows that and a cycle later [s]",
    )
    stamped: bool = Field(
        default=True,
        description="say in the controller's time when a trajectory begins: its jitter on the way "
        "is not seen; false: it begins when it arrives",
    )
    braking_rad_s2: float = Field(
        2.5,
        gt=0.0,
        le=10.0,
        description="deceleration at the end of every trajectory, which the arm carries out when "
        "no other comes; at most the robot's least acceleration [rad/s2]",
    )
    twist_watchdog_s: float = Field(
        0.15,
        gt=0.0,
        le=2.0,
        description="silence after which the guard of the velocities sends zero [s]",
    )
    twist_gain: float = Field(
        2.0,
        ge=0.0,
        le=10.0,
        description="velocity for a distance from the pose that is told [1/s]",
    )
    twist_m_s: float = Field(
        0.2, gt=0.0, le=0.5, description="greatest velocity of the tool that is sent [m/s]"
    )
    twist_rad_s: float = Field(
        0.6, gt=0.0, le=1.74, description="greatest angular velocity that is sent [rad/s]"
    )
    gripper: Literal["none", "topic", "action"] = Field(
        "none",
        description="how the gripper is told: 'topic' (a forward_command_controller, standard "
        "messages only), 'action' (robotiq_gripper_controller, needs control_msgs), or 'none'",
    )
    gripper_topic: str = Field(
        "gripper_position_controller/commands", description="topic of the gripper's position"
    )
    gripper_action: str = Field(
        "robotiq_gripper_controller/gripper_cmd", description="action of the gripper"
    )
    gripper_action_type: Literal["ParallelGripperCommand", "GripperCommand"] = Field(
        "ParallelGripperCommand",
        description="action of control_msgs: as ros2_kortex's own configuration has it, or "
        "'GripperCommand' as its MoveIt configuration",
    )
    gripper_joint: str = Field(
        "robotiq_85_left_knuckle_joint", description="the gripper's joint in the joint states"
    )
    gripper_closed_rad: float = Field(
        0.8, gt=0.0, le=2.0, description="that joint when the gripper is closed; open is 0 [rad]"
    )
    gripper_width_m: float = Field(
        0.085, gt=0.0, le=0.3, description="distance of the open fingers [m]"
    )
