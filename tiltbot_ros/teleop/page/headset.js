"use strict";
// Sends the pose of one controller at the headset's frame rate, and shows what the arm does.

const MOST_WAITING_BYTES = 4096; // Old poses are worth nothing: rather none than late ones.
const GRIP = 1, TRIGGER = 0, FIRST = 4, SECOND = 5; // Buttons of WebXR's "xr-standard" gamepads.

const element = (id) => document.getElementById(id);
let socket = null;
let hand = "right";
let recording = false;
let session = null;
let space = null;
let wishes = [];
const held = new Map();

function show(text, kind = "") {
  element("state").textContent = text;
  element("state").className = kind;
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}/poses${location.search}`);
  socket.onopen = () => show("Connected", "good");
  socket.onmessage = (event) => told(JSON.parse(event.data));
  socket.onclose = (event) => {
    show(event.reason || "Not connected; trying again", "bad");
    setTimeout(connect, 1000);
  };
}

function told(news) {
  if (news.hand) {
    hand = news.hand;
    return;
  }
  recording = news.recording;
  element("mode").textContent = news.mode || "–";
  element("commander").textContent = news.commander || "nobody";
  element("recording").textContent = recording ? `yes: ${news.text}` : "no";
  element("hint").textContent = recording ? "" : news.text;
}

function pressed(gamepad, index) {
  return Boolean(gamepad && gamepad.buttons[index] && gamepad.buttons[index].pressed);
}

// True once for every press.
function edge(gamepad, index) {
  const before = held.get(index);
  held.set(index, pressed(gamepad, index));
  return held.get(index) && !before;
}

function frame(time, now) {
  if (!session) return;
  session.requestAnimationFrame(frame);
  const source = [...session.inputSources].find((one) => one.handedness === hand && one.gripSpace);
  const pose = source && now.getPose(source.gripSpace, space);
  if (!pose) return; // Not seen: silence stops the arm.
  const gamepad = source.gamepad;
  // An emulated position is a guess: the controller is out of sight.
  const clutch = pressed(gamepad, GRIP) && !pose.emulatedPosition;
  if (edge(gamepad, FIRST)) wishes.push(recording ? "success" : "start");
  if (edge(gamepad, SECOND)) wishes.push(recording ? "discard" : "stop");
  element("clutch").textContent = clutch ? "closed" : "open";
  if (socket.readyState !== WebSocket.OPEN || socket.bufferedAmount > MOST_WAITING_BYTES) return;
  const { position, orientation } = pose.transform;
  const trigger = gamepad && gamepad.buttons[TRIGGER];
  socket.send(
    JSON.stringify({
      position: [position.x, position.y, position.z],
      orientation: [orientation.x, orientation.y, orientation.z, orientation.w],
      clutch,
      gripper: trigger ? trigger.value : null,
      wishes,
    }),
  );
  wishes = [];
}

async function enter(mode) {
  try {
    session = await navigator.xr.requestSession(mode, { requiredFeatures: ["local-floor"] });
    session.addEventListener("end", () => {
      session = null;
      element("enter").disabled = false;
      element("clutch").textContent = "open";
    });
    const gl = element("view").getContext("webgl", { xrCompatible: true });
    session.updateRenderState({ baseLayer: new XRWebGLLayer(session, gl) });
    space = await session.requestReferenceSpace("local-floor");
    element("enter").disabled = true;
    session.requestAnimationFrame(frame);
  } catch (error) {
    element("hint").textContent = `The headset did not begin: ${error.message}`;
  }
}

async function prepare() {
  connect();
  if (!navigator.xr) {
    element("hint").textContent = window.isSecureContext
      ? "This browser has no WebXR: open the page in the headset's browser."
      : "WebXR needs HTTPS, or a cable and the address localhost.";
    return;
  }
  const sees = await navigator.xr.isSessionSupported("immersive-ar");
  const mode = sees ? "immersive-ar" : "immersive-vr";
  element("enter").disabled = false;
  element("enter").textContent = sees ? "Enter, seeing the room" : "Enter without seeing the room";
  element("enter").onclick = () => enter(mode);
}

prepare();
