// Elements, numbers and words. Texts only ever become text nodes and attributes.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style")
      for (const [key, text] of Object.entries(value)) node.style.setProperty(key, text);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

const h = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);
const s = (tag, properties, ...children) =>
  fill(document.createElementNS(SVG, tag), properties, children);

const integer = new Intl.NumberFormat("en-GB");
const pretty = (name) => (name === "" ? "not named" : name.replaceAll("_", " "));
function percent(part, all) {
  if (all === 0) return "–";
  if (part === 0 || part === all) return part === 0 ? "0 %" : "100 %";
  return `${Math.min(99.9, Math.max(0.1, (100 * part) / all)).toFixed(1)} %`;
}

const counted = (count, noun) => `${integer.format(count)} ${noun}${count === 1 ? "" : "s"}`;
function signed(value, digits = 2) {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : `${value < 0 ? "−" : "+"}${text}`;
}
const decibels = (level) => (level > 0 ? 20 * Math.log10(level) : null);
const dB = (level) => (decibels(level) === null ? "–" : `${signed(decibels(level), 0)} dBFS`);

function volume(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1000;
    unit += 1;
  }
  return `${unit === 0 || bytes >= 100 ? bytes.toFixed(0) : bytes.toFixed(1)} ${units[unit]}`;
}

function duration(seconds) {
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  if (seconds < 7200) return `${(seconds / 60).toFixed(0)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

const two = (number) => String(number).padStart(2, "0");

function day(ms) {
  const at = new Date(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function clock(ms, { seconds = true } = {}) {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}${seconds ? `:${two(at.getSeconds())}` : ""}`;
}

function median(values) {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const VERDICTS = ["clean", "flagged", "unreadable"];

function badge(verdict) {
  const mark = {
    clean: "M4 8.5l2.7 2.7L12 5.6",
    flagged: "M8 3.6v5.2M8 11.6v.9",
    unreadable: "M4.6 4.6l6.8 6.8M11.4 4.6l-6.8 6.8",
  }[verdict];
  return h(
    "span",
    { class: `badge ${verdict}` },
    s("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, s("path", { d: mark })),
    verdict,
  );
}

// A small round window on the action space: x to the right, y up, the rim is the greatest tilt.
function actionGlyph(action) {
  if (action === null) return h("span", { class: "none" }, "–");
  const [x, y] = action;
  return s(
    "svg",
    {
      class: "glyph",
      viewBox: "-1.15 -1.15 2.3 2.3",
      role: "img",
      "aria-label": `tilt ${signed(x)}, ${signed(y)}`,
    },
    s("circle", { r: 1, class: "rim" }),
    s("line", { x1: 0, y1: 0, x2: x, y2: -y, class: "stick" }),
    s("circle", { cx: x, cy: -y, r: 0.2, class: "tip" }),
  );
}

// The tooltip of the charts: what it says is in the charts' labels, too.
function tip(node, lines) {
  const box = document.getElementById("tip");
  node.addEventListener("pointerenter", () => {
    box.replaceChildren(...lines().map((line, number) => h(number ? "span" : "b", {}, line)));
    box.classList.add("shown");
  });
  node.addEventListener("pointermove", (event) => {
    const left = Math.min(event.clientX + 14, window.innerWidth - box.offsetWidth - 8);
    box.style.setProperty(
      "transform",
      `translate(${Math.max(left, 8)}px, ${event.clientY - box.offsetHeight - 12}px)`,
    );
  });
  node.addEventListener("pointerleave", () => box.classList.remove("shown"));
  return node;
}
