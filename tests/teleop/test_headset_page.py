"""The headset's page in a real Chromium, with a headset that the test plays."""

import numpy as np
import pytest

from tiltbot_ros.teleop.headset import HeadsetSource
from tiltbot_ros.teleop.settings import HeadsetSettings
from tiltbot_ros.teleop.source import News

# WebXR as far as the page uses it: one session, one controller, whose state the test sets.
HEADSET = """
window.hand = {position: {x: 0, y: 1, z: 0}, orientation: {x: 0, y: 0, z: 0, w: 1},
               buttons: [0, 0, 0, 0, 0, 0], emulated: false, seen: true, which: "right"};
class Session extends EventTarget {
  inputSources = [{handedness: window.hand.which, gripSpace: {}, get gamepad() {
    return {buttons: window.hand.buttons.map((value) => ({value, pressed: value > 0.5}))};
  }}];
  updateRenderState() {}
  async requestReferenceSpace() { return {}; }
  requestAnimationFrame(callback) {
    window.requestAnimationFrame((time) => callback(time, {getPose: () => window.hand.seen ? {
      transform: window.hand, emulatedPosition: window.hand.emulated} : null}));
  }
}
window.XRWebGLLayer = class {};
Object.defineProperty(navigator, "xr", {value: {
  isSessionSupported: async (mode) => mode === "immersive-ar",
  requestSession: async () => (window.session = new Session()),
}});
"""


@pytest.fixture
def source():
    made = HeadsetSource(HeadsetSettings(port=0))
    made.open()
    yield made
    made.close()


def until(tab, condition):
    for _ in range(200):
        found = condition()
        if found:
            return found
        tab.wait_for_timeout(25)
    raise AssertionError("never")


def hand(tab, **state):
    tab.evaluate("(state) => { Object.assign(window.hand, state); }", state)


def visit(chromium, source, script=HEADSET):
    tab = chromium.new_page()
    complaints = []
    tab.on("console", lambda m: m.type in ("error", "warning") and complaints.append(m.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.add_init_script(script)
    tab.goto(source.address)
    return tab, complaints


def test_a_hand_leads_through_the_page(chromium, source):
    tab, complaints = visit(chromium, source)
    button = tab.get_by_role("button", name="Enter, seeing the room")
    button.click()
    first = until(tab, lambda: source.read(0.0))
    assert not first.engaged
    hand(tab, position={"x": 0.1, "y": 1.2, "z": -0.3}, buttons=[0.75, 1, 0, 0, 0, 0])
    sample = until(tab, lambda: (s := source.read(0.0)).engaged and s)
    np.testing.assert_allclose(sample.position, [0.3, -0.1, 1.2], atol=1e-12)
    assert sample.gripper == 0.75
    assert tab.locator("#clutch").text_content() == "closed"

    hand(tab, emulated=True)  # the controller is out of sight: its position is a guess
    until(tab, lambda: not source.read(0.0).engaged)
    hand(tab, emulated=False, seen=False)  # not seen at all: silence
    tab.wait_for_timeout(100)
    last = source.read(0.0)
    tab.wait_for_timeout(200)
    assert source.read(0.0) is last
    assert complaints == []
    tab.close()


def test_buttons_record_by_what_the_arm_node_says(chromium, source):
    tab, complaints = visit(chromium, source)
    tab.get_by_role("button").click()
    until(tab, lambda: source.read(0.0))

    def press(index):
        hand(tab, buttons=[float(number == index) for number in range(6)])
        found = until(tab, source.wishes)
        hand(tab, buttons=[0.0] * 6)
        tab.wait_for_timeout(60)
        return found

    assert press(4) == ("start",)
    assert press(5) == ("stop",)
    source.tell(
        News(ready=True, mode="following", commander="teleop", recording=True, text="demo_000007")
    )
    until(tab, lambda: "demo_000007" in tab.locator("#recording").text_content())
    assert press(4) == ("success",)
    assert press(5) == ("discard",)
    assert tab.locator("#commander").text_content() == "teleop"
    assert complaints == []
    tab.close()


def test_a_browser_without_a_headset_says_so(chromium, source):
    tab, _ = visit(chromium, source, 'Object.defineProperty(navigator, "xr", {value: undefined});')
    until(tab, lambda: "no WebXR" in tab.locator("#hint").text_content())
    assert tab.get_by_role("button").is_disabled()
    tab.close()
