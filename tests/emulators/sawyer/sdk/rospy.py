"""The part of ROS 1's rospy that the side process and the emulated SDK use."""

import json
import os
import socket
import threading
import time


class ROSException(Exception):  # noqa: N818 - its name there
    pass


class Time:
    def __init__(self, nanoseconds):
        self._nanoseconds = nanoseconds

    def to_nsec(self):
        return self._nanoseconds


class Bus:
    """One connection to the robot; packets go to whoever listens, from a thread as in rospy."""

    def __init__(self):
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.connect(os.environ["EMULATED_SAWYER"])
        self._listeners = []
        threading.Thread(target=self._run, daemon=True).start()

    def listen(self, callback):
        self._listeners.append(callback)

    def publish(self, topic, data):
        self._connection.send(json.dumps({"topic": topic, "data": data}).encode())

    def _run(self):
        while True:
            data = self._connection.recv(65536)
            if not data:
                return
            packet = json.loads(data)
            for callback in list(self._listeners):
                callback(packet)


bus = None


def init_node(name, anonymous=False, disable_signals=False):
    global bus  # noqa: PLW0603
    bus = Bus()


def get_time():
    return time.time()


def sleep(duration):
    time.sleep(duration)


class Subscriber:
    """Of /robot/joint_states only."""

    def __init__(self, name, data_class, callback, queue_size=None, tcp_nodelay=False):
        if name != "/robot/joint_states":
            raise ROSException(f"the emulated robot does not publish {name}")
        self._class, self._callback = data_class, callback
        bus.listen(self._on_packet)

    def _on_packet(self, packet):
        message = self._class()
        message.header.stamp = Time(packet["stamp"])
        for field in ("name", "position", "velocity", "effort"):
            setattr(message, field, packet[field])
        self._callback(message)
