// The window of one episode.

function detailBody(episode, list) {
  const place = list.indexOf(episode);
  const pictures = h(
    "div",
    { class: "frames waiting" },
    h("div", { class: "frame" }),
    h("div", { class: "frame" }),
  );
  const sound = h("div", { class: "player waiting" }, h("div", { class: "spectrogram" }));
  const lines = [
    [
      "Object",
      h(
        "a",
        {
          href: address({
            page: "object",
            name: episode.object.name,
            filters: { object: "" },
            number: 1,
            sort: "",
          }),
        },
        episode.object.title,
      ),
    ],
    ["Contact", episode.time === null ? "–" : `${day(episode.time)} ${clock(episode.time)}`],
    [
      "Level",
      `${dB(episode.level)}${episode.channel === null ? "" : `, channel ${episode.channel}`}`,
    ],
    [
      "Tilt",
      h(
        "span",
        { class: "tilt" },
        actionGlyph(episode.action),
        episode.action === null
          ? null
          : `${signed(episode.action[0])}, ${signed(episode.action[1])}`,
      ),
    ],
    ["Contacts in the window", String(episode.contacts ?? "–")],
    ["Contact rate", episode.rate === null ? "–" : `${episode.rate.toFixed(1)} a minute`],
    ["Bag", episode.bytes === null ? "–" : volume(episode.bytes)],
    ["Outcome", episode.outcome || "–"],
    ...episode.labels,
  ];
  const step = (by, text) =>
    h(
      "button",
      {
        type: "button",
        class: "turn",
        disabled: !list[place + by],
        onclick: () => openDetail(list[place + by], list),
      },
      text,
    );
  const body = h(
    "div",
    { class: "detail" },
    h(
      "header",
      {},
      h("h2", {}, episode.id),
      badge(episode.verdict),
      episode.kept ? h("span", { class: "kept" }, "★ kept") : null,
      h("span", { class: "turns" }, step(-1, "‹ Back"), step(1, "Next ›")),
      h(
        "button",
        {
          type: "button",
          class: "icon-button close",
          "aria-label": "Close",
          onclick: () => document.getElementById("detail").close(),
        },
        s(
          "svg",
          { viewBox: "0 0 16 16", "aria-hidden": "true" },
          s("path", { d: "M4 4l8 8M12 4l-8 8" }),
        ),
      ),
    ),
    h(
      "div",
      { class: "detail-grid" },
      h("div", { class: "seen" }, pictures, sound),
      h(
        "div",
        { class: "facts" },
        episode.problems.length
          ? h(
              "ul",
              { class: "problems" },
              episode.problems.map((problem) => h("li", {}, problem)),
            )
          : null,
        h(
          "dl",
          {},
          lines.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
        ),
        h(
          "p",
          { class: "hint" },
          h("code", {}, `tiltbot episodes show ${DATA.folder}/${episode.id}`),
          " draws all microphones and the tray's motion.",
        ),
      ),
    ),
  );
  fillShot(episode, pictures, sound);
  return body;
}

let opened = null;

function openDetail(episode, list) {
  const dialog = document.getElementById("detail");
  opened = { episode, list };
  dialog.replaceChildren(detailBody(episode, list));
  dialog.setAttribute("aria-label", `Episode ${episode.id}`);
  if (!dialog.open) dialog.showModal();
}

function readyDetail() {
  const dialog = document.getElementById("detail");
  dialog.addEventListener("close", () => {
    opened = null;
    dialog.replaceChildren();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("a")) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined || opened === null || event.target.closest("input")) return;
    const next = opened.list[opened.list.indexOf(opened.episode) + by];
    if (next) openDetail(next, opened.list);
  });
}
