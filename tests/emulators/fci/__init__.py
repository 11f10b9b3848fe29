"""A stand-in for the controller of a Franka Research 3, on the network as libfranka sees it.

It speaks the FCI protocol, version 10 of the arm and 3 of the hand, as the public headers
of frankarobotics/libfranka-common write it down (include/research_interface).
"""
