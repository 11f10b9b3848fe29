// An episode to look at and listen to.

function arrowPath([x0, y0, x1, y1], unit) {
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
  const head = Math.min(unit * 0.075, length * 0.6);
  const [wide, thin] = [head * 0.62, head * 0.2];
  const [nx, ny] = [x1 - ux * head, y1 - uy * head];
  const point = (x, y, side) => `${(x - uy * side).toFixed(1)} ${(y + ux * side).toFixed(1)}`;
  return `M${point(x0, y0, thin * 0.5)}L${point(nx, ny, thin)}L${point(nx, ny, wide)}L${x1.toFixed(1)} ${y1.toFixed(1)}L${point(nx, ny, -wide)}L${point(nx, ny, -thin)}L${point(x0, y0, -thin * 0.5)}Z`;
}

function frame(view, name, episode) {
  const picture = view[name];
  const box = s("svg", { viewBox: `0 0 ${view.width} ${view.height}`, "aria-hidden": "true" });
  if (name === "before" && view.arrow)
    box.append(s("path", { class: "arrow", d: arrowPath(view.arrow, view.height) }));
  if (name === "after" && view.way.length > 0) {
    box.append(
      s("polyline", { class: "way", points: view.way.map(([x, y]) => `${x},${y}`).join(" ") }),
    );
    view.way.forEach(([x, y], i) =>
      box.append(
        s("circle", {
          class: "step",
          cx: x,
          cy: y,
          r: view.height / 85,
          style: { fill: viridis(view.way.length > 1 ? i / (view.way.length - 1) : 1) },
        }),
      ),
    );
  }
  return h(
    "figure",
    { class: "frame" },
    h("img", {
      src: pictureAddress(picture.data),
      width: view.width,
      height: view.height,
      alt: `${episode.object.title}, ${name} the tilt`,
      decoding: "async",
    }),
    box,
    h("figcaption", {}, h("b", {}, name), ` ${signed(picture.time_s)} s`),
  );
}

const VIRIDIS = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"];
const viridis = (share) => VIRIDIS[Math.round(share * (VIRIDIS.length - 1))];

const PLAY = "M6 4.2v11.6L15.6 10z";
const PAUSE = "M6 4.5h3v11H6zM11 4.5h3v11h-3z";

function player(media, episode) {
  const { spectrogram, sound } = media;
  if (!spectrogram) return null;
  const [begin, end] = spectrogram.span_s;
  const share = (time) => `${(100 * (time - begin)) / (end - begin)}%`;
  const view = h(
    "div",
    { class: "spectrogram" },
    h("img", {
      src: pictureAddress(spectrogram.data),
      alt: `spectrogram, ${begin.toFixed(1)} to ${end.toFixed(1)} s from the contact`,
      decoding: "async",
    }),
  );
  if (begin < 0 && end > 0) view.append(h("i", { class: "contact", style: { left: share(0) } }));
  for (const hertz of [200, 500, 1000, 2000, 5000, 10000]) {
    const [low, high] = spectrogram.range_hz;
    const place = Math.log(hertz / low) / Math.log(high / low);
    if ([500, 2000, 10000].includes(hertz) && place > 0.05 && place < 0.97)
      view.append(
        h("span", { class: "pitch", style: { bottom: `${100 * place}%` } }, `${hertz / 1000} kHz`),
      );
  }
  if (!sound) return h("div", { class: "player" }, view);
  const audio = h("audio", { preload: "metadata", src: soundAddress(sound) });
  const line = h("i", { class: "playhead" });
  const icon = s("path", { d: PLAY });
  const button = h(
    "button",
    {
      type: "button",
      class: "play",
      "aria-label": `Play the sound of ${episode.id}`,
      onclick: () => (audio.paused ? audio.play() : audio.pause()),
    },
    s("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, icon),
  );
  const seek = h("input", {
    type: "range",
    min: 0,
    max: Math.round(1000 * sound.seconds),
    value: 0,
    step: 10,
    class: "seek",
    "aria-label": `Position in the sound of ${episode.id}`,
    oninput: () => {
      audio.currentTime = seek.value / 1000;
      follow();
    },
  });
  const follow = () => {
    line.style.setProperty("left", share(sound.start_s + audio.currentTime));
    if (document.activeElement !== seek || !audio.paused) seek.value = 1000 * audio.currentTime;
    seek.setAttribute(
      "aria-valuetext",
      `${signed(sound.start_s + audio.currentTime)} s from the contact`,
    );
    if (!audio.paused) requestAnimationFrame(follow);
  };
  const state = () => {
    icon.setAttribute("d", audio.paused ? PLAY : PAUSE);
    button.setAttribute(
      "aria-label",
      `${audio.paused ? "Play" : "Pause"} the sound of ${episode.id}`,
    );
    view.classList.toggle("playing", !audio.paused || audio.currentTime > 0);
    if (!audio.paused) {
      for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
      follow();
    }
  };
  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, state);
  view.append(line, seek);
  const louder =
    Math.abs(sound.gain_db) < 0.5
      ? "as loud as recorded"
      : `played ${Math.abs(sound.gain_db).toFixed(0)} dB ${sound.gain_db > 0 ? "louder" : "quieter"}`;
  const told = h(
    "span",
    { class: "told", title: sound.what },
    h("b", {}, sound.microphone),
    ` ${louder}`,
    h("span", { class: "coding" }, `, ${sound.what}`),
  );
  return h("div", { class: "player" }, view, h("div", { class: "controls" }, button, told, audio));
}

function facts(episode) {
  const told = [];
  if (episode.level !== null) told.push(dB(episode.level));
  if (episode.contacts > 1) told.push(counted(episode.contacts, "contact"));
  if (episode.outcome) told.push(episode.outcome);
  return told.join(" · ");
}

// A card of the gallery; its pictures come when they are loaded.
function shot(episode, { list }) {
  const pictures = h(
    "div",
    { class: "frames waiting" },
    h("div", { class: "frame" }),
    h("div", { class: "frame" }),
  );
  const sound = h("div", { class: "player waiting" }, h("div", { class: "spectrogram" }));
  const card = h(
    "article",
    { class: "shot panel", "data-id": episode.id },
    h(
      "header",
      {},
      h(
        "button",
        { type: "button", class: "link", onclick: () => openDetail(episode, list) },
        episode.id,
      ),
      h(
        "a",
        {
          class: "object",
          href: address({
            page: "object",
            name: episode.object.name,
            filters: { object: "" },
            number: 1,
            show: "",
          }),
        },
        episode.object.title,
      ),
      badge(episode.verdict),
    ),
    pictures,
    sound,
    h(
      "footer",
      {},
      actionGlyph(episode.action),
      h("span", {}, facts(episode)),
      episode.time === null
        ? null
        : h(
            "time",
            { datetime: new Date(episode.time).toISOString() },
            `${day(episode.time)} ${clock(episode.time)}`,
          ),
    ),
  );
  fillShot(episode, pictures, sound);
  return card;
}

async function fillShot(episode, pictures, sound) {
  let media = null;
  let why = "no pictures and sound of this one in the report";
  try {
    media = await mediaOf(episode);
  } catch {
    why = `${DATA.chunks[episode.chunk].file} cannot be loaded: keep it beside this page`;
  }
  if (media?.problem) why = media.problem;
  if (media === null || media.problem) {
    pictures.replaceWith(h("p", { class: "nothing" }, why));
    sound.remove();
    return;
  }
  if (media.view)
    pictures.replaceWith(
      h(
        "div",
        { class: "frames" },
        ["before", "after"].map((name) => frame(media.view, name, episode)),
      ),
    );
  else pictures.replaceWith(h("p", { class: "nothing" }, "no pictures were recorded"));
  sound.replaceWith(
    player(media, episode) ?? h("p", { class: "nothing" }, "no sound was recorded"),
  );
}
