// Lists of episodes: the table, the gallery, and what turns their pages.

const PER_TABLE = 50;
const PER_GALLERY = 12;

const COLUMNS = [
  { key: "id", title: "Episode", of: (episode) => episode.index },
  { key: "object", title: "Object", of: (episode) => episode.object.title },
  { key: "time", title: "Contact at", of: (episode) => episode.time },
  { key: "level", title: "Level", of: (episode) => episode.level, number: true },
  {
    key: "tilt",
    title: "Tilt",
    of: (episode) => (episode.action === null ? null : Math.hypot(...episode.action)),
  },
  { key: "contacts", title: "Contacts", of: (episode) => episode.contacts, number: true },
  { key: "rate", title: "Rate", of: (episode) => episode.rate, number: true },
  { key: "verdict", title: "Verdict", of: (episode) => VERDICTS.indexOf(episode.verdict) },
  { key: "outcome", title: "Outcome, labels", of: (episode) => episode.outcome || null },
];

function sorted(episodes, sort) {
  const [key, way] = sort.split("-");
  const column = COLUMNS.find((one) => one.key === key);
  if (column === undefined) return episodes;
  const turn = way === "down" ? -1 : 1;
  return episodes
    .map((episode) => [column.of(episode), episode])
    .sort(([a, x], [b, y]) => {
      if (a === null || b === null) return (a === null) - (b === null) || x.index - y.index;
      return (a < b ? -turn : a > b ? turn : 0) || x.index - y.index;
    })
    .map((pair) => pair[1]);
}

function heading(column, state) {
  const [key, way] = state.sort.split("-");
  const here = key === column.key;
  const next =
    here && way === "up" ? `${column.key}-down` : here && way === "down" ? "" : `${column.key}-up`;
  return h(
    "th",
    {
      scope: "col",
      class: column.number ? "number" : null,
      "aria-sort": here ? (way === "up" ? "ascending" : "descending") : "none",
    },
    h(
      "button",
      { type: "button", onclick: () => go({ sort: next, number: 1 }) },
      column.title,
      h("i", { class: `order ${here ? way : ""}`, "aria-hidden": "true" }),
    ),
  );
}

function row(episode, list) {
  const told = [episode.outcome, ...episode.labels.map(([name, value]) => `${name} = ${value}`)]
    .filter(Boolean)
    .join(", ");
  return h(
    "tr",
    {},
    h(
      "td",
      {},
      h(
        "button",
        { type: "button", class: "link", onclick: () => openDetail(episode, list) },
        episode.id,
      ),
      episode.chunk === null
        ? null
        : h("i", { class: "pictured", title: "with pictures and sound" }),
      episode.kept ? h("i", { class: "kept", title: "kept" }, "★") : null,
    ),
    h(
      "td",
      {},
      h(
        "a",
        {
          href: address({
            page: "object",
            name: episode.object.name,
            filters: { object: "" },
            number: 1,
            sort: "",
            show: "",
          }),
        },
        h("i", { class: "dot", style: { background: episode.object.color || "var(--faint)" } }),
        episode.object.title,
      ),
    ),
    h(
      "td",
      { class: "when" },
      episode.time === null ? "–" : `${day(episode.time)} ${clock(episode.time)}`,
    ),
    h("td", { class: "number" }, dB(episode.level)),
    h(
      "td",
      { class: "tilt" },
      actionGlyph(episode.action),
      episode.action === null ? null : `${signed(episode.action[0])}, ${signed(episode.action[1])}`,
    ),
    h("td", { class: "number" }, episode.contacts ?? "–"),
    h("td", { class: "number" }, episode.rate === null ? "–" : episode.rate.toFixed(1)),
    h(
      "td",
      { class: "verdict" },
      h(
        "div",
        {},
        badge(episode.verdict),
        episode.problems.length > 0
          ? h("span", { class: "why", title: episode.problems.join("\n") }, episode.problems[0])
          : null,
      ),
    ),
    h("td", {}, told || h("span", { class: "none" }, "–")),
  );
}

function pager(state, pages) {
  const link = (number, text, name) =>
    number < 1 || number > pages || number === state.number
      ? h("span", { class: "turn off", "aria-disabled": "true" }, text)
      : h("a", { class: "turn", href: address({ number, show: "" }), "aria-label": name }, text);
  return h(
    "nav",
    { class: "pager", "aria-label": "Pages of the list" },
    link(1, "«", "First page"),
    link(state.number - 1, "‹ Back", "Page before"),
    h(
      "span",
      { class: "place" },
      `page ${integer.format(state.number)} of ${integer.format(pages)}`,
    ),
    link(state.number + 1, "Next ›", "Next page"),
    link(pages, "»", "Last page"),
  );
}

function cut(episodes, state, size) {
  const pages = Math.max(1, Math.ceil(episodes.length / size));
  const number = Math.min(state.number, pages);
  return {
    pages,
    state: { ...state, number },
    shown: episodes.slice((number - 1) * size, number * size),
  };
}

function table(episodes, state) {
  const ordered = sorted(episodes, state.sort);
  const part = cut(ordered, state, PER_TABLE);
  if (part.shown.length === 0)
    return [h("p", { class: "panel nothing" }, "No episode fits these filters.")];
  return [
    h(
      "div",
      { class: "panel table", tabindex: 0, role: "region", "aria-label": "Table of episodes" },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            COLUMNS.map((column) => heading(column, state)),
          ),
        ),
        h(
          "tbody",
          {},
          part.shown.map((episode) => row(episode, ordered)),
        ),
      ),
    ),
    pager(part.state, part.pages),
  ];
}

function gallery(episodes, state) {
  const pictured = sorted(episodes, state.sort).filter((episode) => episode.chunk !== null);
  const part = cut(pictured, state, PER_GALLERY);
  if (part.shown.length === 0)
    return [
      h(
        "p",
        { class: "panel nothing" },
        DATA.chunks.length === 0
          ? "This report was made without galleries."
          : "None of these episodes has pictures in this report.",
      ),
    ];
  const nodes = [
    h(
      "div",
      { class: "gallery" },
      part.shown.map((episode) => shot(episode, { list: pictured })),
    ),
  ];
  if (part.pages > 1) nodes.push(pager(part.state, part.pages));
  return nodes;
}
