// The pages: overview, objects, one object, episodes.

const tile = (value, name, note) =>
  h(
    "div",
    { class: "tile panel" },
    h("b", {}, value),
    h("span", {}, name),
    note ? h("small", {}, note) : null,
  );

function tiles(episodes, state) {
  const one = state.page === "object";
  const sums = tally(episodes);
  // Of episodes that are chosen by anything else, the time between them tells nothing.
  const all = { ...state.filters, object: "", set: "" };
  const seconds = Object.values(all).every((value) => value === "") ? collected(episodes) : 0;
  const rates = episodes.map((episode) => episode.rate).filter((rate) => rate !== null);
  const objects = new Set(episodes.map((episode) => episode.object.index)).size;
  const middle = median(rates);
  return h(
    "section",
    { class: "tiles", "aria-label": "In numbers" },
    tile(
      integer.format(episodes.length),
      episodes.length === 1 ? "episode" : "episodes",
      sums.kept ? `${sums.kept} kept` : null,
    ),
    one ? null : tile(integer.format(objects), objects === 1 ? "object" : "objects", null),
    tile(
      percent(sums.clean, episodes.length),
      "clean",
      `${integer.format(sums.flagged)} flagged${sums.unreadable ? `, ${sums.unreadable} unreadable` : ""}`,
    ),
    tile(
      duration(sums.seconds),
      "of episodes",
      seconds > 0 ? `in ${duration(seconds)} of collecting` : null,
    ),
    tile(middle === null ? "–" : middle.toFixed(1), "contacts a minute", "median"),
    tile(
      volume(sums.bytes),
      "of bags",
      episodes.length ? `${volume(sums.bytes / episodes.length)} each` : null,
    ),
  );
}

function problemChart(episodes) {
  const counts = new Array(DATA.kinds.length).fill(0);
  for (const episode of episodes) for (const kind of episode.kinds) counts[kind] += 1;
  const rows = counts
    .map((count, kind) => ({ count, kind }))
    .filter((row) => row.count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, 8)
    .map(({ count, kind }) => ({
      name: DATA.kinds[kind],
      parts: [["flagged", count]],
      href: address({ page: "episodes", filters: { kind: DATA.kinds[kind] }, number: 1 }),
      tip: [counted(count, "episode"), DATA.kinds[kind]],
    }));
  return (
    barList("Why episodes are flagged", "One may have more than one problem", rows) ??
    empty("Why episodes are flagged", "Nothing: every episode is clean.")
  );
}

function charts(episodes) {
  if (episodes.length === 0)
    return h("p", { class: "panel nothing" }, "No episode fits these filters.");
  return h(
    "section",
    { class: "charts", "aria-label": "Charts" },
    timeChart(episodes),
    actionChart(episodes),
    rateChart(episodes),
    levelChart(episodes),
    hearingChart(episodes),
    problemChart(episodes),
  );
}

function byObject(episodes) {
  const found = OBJECTS.map((object) => ({ object, clean: 0, flagged: 0, unreadable: 0, all: 0 }));
  for (const episode of episodes) {
    found[episode.object.index][episode.verdict] += 1;
    found[episode.object.index].all += 1;
  }
  return found.filter((row) => row.all > 0);
}

function objectBars(episodes) {
  const rows = byObject(episodes).map((row) => ({
    name: row.object.title,
    dot: row.object.color || "var(--faint)",
    parts: [
      ["clean", row.clean],
      ["flagged", row.flagged],
      ["unreadable", row.unreadable],
    ],
    href: address({ page: "object", name: row.object.name, filters: { object: "" }, number: 1 }),
    tip: [
      row.object.title,
      `${row.clean} clean, ${row.flagged} flagged${row.unreadable ? `, ${row.unreadable} unreadable` : ""}`,
    ],
  }));
  return barList("Episodes by object and verdict", null, rows, { wide: true });
}

function objectCard({ object, clean, flagged, unreadable, all }) {
  const cover = object.cover
    ? h("img", { src: object.cover, alt: "", loading: "lazy", decoding: "async" })
    : h("i", { class: "blank", style: { background: object.color || "var(--line)" } });
  const told = [object.set ? `set ${object.set}` : null, object.material || null]
    .filter(Boolean)
    .join(" · ");
  return h(
    "a",
    {
      class: "object-card panel",
      href: address({ page: "object", name: object.name, filters: { object: "" }, number: 1 }),
    },
    cover,
    h(
      "span",
      { class: "text" },
      h("b", {}, object.title),
      h("small", {}, told || "\u00a0"),
      h(
        "span",
        { class: "stack thin" },
        [
          ["clean", clean],
          ["flagged", flagged],
          ["unreadable", unreadable],
        ]
          .filter((part) => part[1] > 0)
          .map(([kind, count]) =>
            h("i", { class: kind, style: { width: `${(100 * count) / all}%` } }),
          ),
      ),
      h("small", {}, `${counted(all, "episode")}, ${percent(clean, all)} clean`),
    ),
  );
}

function overviewPage(episodes, state) {
  return [tiles(episodes, state), charts(episodes), episodes.length ? objectBars(episodes) : null];
}

function objectsPage(episodes) {
  const rows = byObject(episodes);
  if (rows.length === 0)
    return [h("p", { class: "panel nothing" }, "No episode fits these filters.")];
  return [
    h("h1", {}, counted(rows.length, "object")),
    h("section", { class: "object-cards" }, rows.map(objectCard)),
  ];
}

function views(state, choices) {
  return h(
    "div",
    { class: "views", role: "group", "aria-label": "View" },
    choices.map(([view, text]) =>
      h(
        "a",
        { href: address({ view, number: 1 }), "aria-current": state.view === view ? "true" : null },
        text,
      ),
    ),
  );
}

function objectPage(episodes, state) {
  const object = BY_NAME.get(state.name);
  if (object === undefined)
    return [
      h("p", { class: "panel nothing" }, `There is no object ${state.name} in this data set.`),
    ];
  const told = [
    object.name || null,
    object.set ? `set ${object.set}` : null,
    object.material || null,
    object.shape || null,
    object.mass_kg ? `${(1000 * object.mass_kg).toFixed(0)} g` : null,
  ].filter(Boolean);
  const [before, after] = [OBJECTS[object.index - 1], OBJECTS[object.index + 1]];
  const turn = (other, text) =>
    other
      ? h(
          "a",
          {
            class: "turn",
            href: address({ name: other.name, number: 1 }),
            "aria-label": `${text}: ${other.title}`,
          },
          text,
        )
      : h("span", { class: "turn off" }, text);
  return [
    h(
      "div",
      { class: "object-head" },
      object.cover ? h("img", { src: object.cover, alt: "" }) : null,
      h("div", {}, h("h1", {}, object.title), h("p", {}, told.join(" · "))),
      h("div", { class: "turns" }, turn(before, "‹ Back"), turn(after, "Next ›")),
    ),
    tiles(episodes, state),
    h(
      "div",
      { class: "section-head" },
      h("h2", {}, "Episodes"),
      views(state, [
        ["", "Gallery"],
        ["table", "Table"],
      ]),
    ),
    ...(state.view === "table" ? table(episodes, state) : gallery(episodes, state)),
    h("div", { class: "section-head" }, h("h2", {}, "In charts")),
    charts(episodes),
  ];
}

function episodesPage(episodes, state) {
  return [
    h(
      "div",
      { class: "section-head" },
      h("h1", {}, "Episodes"),
      views(state, [
        ["", "Table"],
        ["gallery", "Gallery"],
      ]),
    ),
    ...(state.view === "gallery" ? gallery(episodes, state) : table(episodes, state)),
  ];
}
