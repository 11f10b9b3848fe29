"""Everything of tiltbot that touches a robot, a sensor or a bag."""
