"""The one message of ROS 1 that the side process reads."""


class Header:
    stamp = None


class JointState:
    def __init__(self):
        self.header = Header()
        self.name, self.position, self.velocity, self.effort = [], [], [], []
