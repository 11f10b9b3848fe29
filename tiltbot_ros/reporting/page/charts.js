// The charts of a list of episodes.

function rateChart(episodes) {
  const title = "Contact rate";
  const rates = episodes.map((episode) => episode.rate).filter((rate) => rate !== null);
  if (rates.length === 0) return empty(title, "Too few contacts close together to tell a rate.");
  const most = Float64Array.from(rates).sort()[Math.floor(0.995 * (rates.length - 1))];
  const step = niceStep(Math.max(most * 1.05, 1), 24);
  const count = Math.max(4, Math.ceil((most * 1.05) / step));
  const bins = binned(rates, 0, count * step, count);
  const bars = bins.map((size, i) => ({
    from: i * step,
    to: (i + 1) * step,
    parts: [["main", size]],
    tip: [
      counted(size, "episode"),
      `${(i * step).toFixed(1)} to ${((i + 1) * step).toFixed(1)}${i === count - 1 ? " and more" : ""} contacts a minute`,
    ],
  }));
  const middle = median(rates);
  const tickStep = niceStep(count * step, 6);
  const ticks = Array.from({ length: Math.floor((count * step) / tickStep + 1e-6) + 1 }, (_, i) => [
    i * tickStep,
    String(+(i * tickStep).toFixed(2)),
  ]);
  return chart(
    title,
    "Contacts a minute in the two minutes around each episode, pauses left out",
    190,
    drawHistogram(bars, {
      ticks,
      marks: [[middle, `median ${middle.toFixed(1)}`]],
      unit: "contacts a minute",
    }),
    {
      label: `Histogram of the contact rate: median ${middle.toFixed(1)} contacts a minute`,
    },
  );
}

function levelChart(episodes) {
  const title = "How loud the contacts are";
  const levels = episodes
    .map((episode) => decibels(episode.level))
    .filter((level) => level !== null);
  if (levels.length === 0) return empty(title, "No contact level is known.");
  const low = Math.max(-90, Math.floor(Math.min(...bounds(levels)) / 5) * 5);
  const count = Math.max(4, Math.ceil((0 - low) / 2.5));
  const bins = binned(levels, low, low + count * 2.5, count);
  const bars = bins.map((size, i) => ({
    from: low + i * 2.5,
    to: low + (i + 1) * 2.5,
    parts: [["main", size]],
    tip: [counted(size, "episode"), `${low + i * 2.5} to ${low + (i + 1) * 2.5} dBFS`],
  }));
  const middle = median(levels);
  const ticks = [];
  for (let value = Math.ceil(low / 10) * 10; value <= 0; value += 10)
    ticks.push([value, value === 0 ? "0" : `−${-value}`]);
  return chart(
    title,
    "Peak of the loudest microphone, against digital full scale",
    190,
    drawHistogram(bars, { ticks, marks: [[middle, `median ${signed(middle, 0)}`]], unit: "dBFS" }),
    {
      label: `Histogram of the contact level: median ${middle.toFixed(0)} decibels of full scale`,
    },
  );
}

const SPANS = [
  10e3,
  60e3,
  300e3,
  600e3,
  1800e3,
  3600e3,
  10800e3,
  21600e3,
  43200e3,
  86400e3,
  7 * 86400e3,
  30 * 86400e3,
  365 * 86400e3,
];

function timeChart(episodes) {
  const title = "When it was collected";
  const dated = episodes.filter((episode) => episode.time !== null);
  if (dated.length === 0) return empty(title, "No contact has a time.", "wide");
  const [first, last] = bounds(dated.map((episode) => episode.time));
  const span = SPANS.find((one) => (last - first) / one <= 72) ?? SPANS.at(-1);
  const shift = new Date(first).getTimezoneOffset() * 60e3;
  const begin = Math.floor((first - shift) / span) * span + shift;
  const count = Math.min(2000, Math.floor((last - begin) / span) + 1);
  const clean = new Array(count).fill(0);
  const flagged = new Array(count).fill(0);
  for (const episode of dated) {
    const place = Math.min(count - 1, Math.floor((episode.time - begin) / span));
    (episode.verdict === "clean" ? clean : flagged)[place] += 1;
  }
  const bars = clean.map((size, i) => ({
    from: begin + i * span,
    to: begin + (i + 1) * span,
    parts: [
      ["clean", size],
      ["flagged", flagged[i]],
    ],
    tip: [
      counted(size + flagged[i], "episode"),
      `${day(begin + i * span)} ${clock(begin + i * span, { seconds: span < 60e3 })}`,
      `${flagged[i]} flagged`,
    ],
  }));
  const length = count * span;
  const many = length > 2 * 86400e3;
  const tickSpan = SPANS.find((one) => length / one <= 6) ?? SPANS.at(-1);
  const ticks = [];
  for (
    let at = Math.ceil((begin - shift) / tickSpan) * tickSpan + shift;
    at <= begin + length;
    at += tickSpan
  )
    ticks.push([at, many ? day(at).slice(5) : clock(at, { seconds: tickSpan < 60e3 })]);
  const days = day(first) === day(last) ? day(first) : `${day(first)} to ${day(last)}`;
  return chart(
    title,
    `Episodes every ${duration(span / 1000)}, ${days}`,
    190,
    drawHistogram(bars, { ticks }),
    { shape: "wide", label: `Episodes over time, ${days}` },
  );
}

const CELLS = 23;

function actionChart(episodes) {
  const title = "Tilt actions";
  const actions = episodes
    .map((episode) => episode.action)
    .filter(
      (action) => action !== null && Math.abs(action[0]) <= 1.5 && Math.abs(action[1]) <= 1.5,
    );
  if (actions.length === 0) return empty(title, "No tilt is known.", "middle");
  const grid = new Array(CELLS * CELLS).fill(0);
  const place = (value) =>
    Math.min(CELLS - 1, Math.max(0, Math.floor(((value + 1.02) / 2.04) * CELLS)));
  for (const [x, y] of actions) grid[(CELLS - 1 - place(y)) * CELLS + place(x)] += 1;
  const most = Math.max(...grid);
  const sizes = actions.map(([x, y]) => Math.hypot(x, y));
  const draw = (figure, width, height) => {
    const radius = Math.min(width / 2 - 26, height / 2 - 18);
    const cell = (2.04 * radius) / CELLS;
    const disc = s("g", { transform: `translate(${width / 2} ${height / 2})` });
    const cells = s("g", { "clip-path": "url(#disc)" });
    disc.append(
      s("clipPath", { id: "disc" }, s("circle", { r: radius + 1 })),
      s("circle", { class: "disc", r: radius }),
      cells,
    );
    grid.forEach((size, i) => {
      if (size === 0) return;
      const column = i % CELLS;
      const row = Math.floor(i / CELLS);
      const rect = s("rect", {
        class: "cell",
        x: (column - CELLS / 2) * cell + 0.5,
        y: (row - CELLS / 2) * cell + 0.5,
        width: cell - 1,
        height: cell - 1,
        rx: Math.min(2.5, cell / 4),
        "fill-opacity": (0.16 + 0.84 * Math.sqrt(size / most)).toFixed(3),
      });
      const x = ((column + 0.5) / CELLS) * 2.04 - 1.02;
      const y = 1.02 - ((row + 0.5) / CELLS) * 2.04;
      cells.append(tip(rect, () => [counted(size, "episode"), `tilt ${signed(x)}, ${signed(y)}`]));
    });
    for (const part of [1, 0.5]) disc.append(s("circle", { class: "ring", r: radius * part }));
    disc.append(
      s("line", { class: "grid", x1: -radius, x2: radius, y1: 0, y2: 0 }),
      s("line", { class: "grid", y1: -radius, y2: radius, x1: 0, x2: 0 }),
    );
    disc.append(
      s("text", { class: "tick", x: radius + 6, y: 3.5 }, "ax"),
      s("text", { class: "tick", x: 0, y: -radius - 6, "text-anchor": "middle" }, "ay"),
    );
    figure.append(disc);
  };
  return chart(
    title,
    `Direction and size of the commanded tilt; the rim is the greatest. Mean size ${(sizes.reduce((a, b) => a + b, 0) / sizes.length).toFixed(2)}`,
    250,
    draw,
    { label: `Density of ${actions.length} tilt actions over the unit disc`, shape: "middle" },
  );
}

function hearingChart(episodes) {
  const title = "Contacts in a window";
  const known = episodes.filter((episode) => episode.contacts !== null);
  if (known.length === 0) return empty(title, "Not known.");
  const bins = new Array(8).fill(0);
  for (const episode of known) bins[Math.min(8, Math.max(1, episode.contacts)) - 1] += 1;
  const bars = bins.map((size, i) => ({
    from: i + 0.5,
    to: i + 1.5,
    parts: [["main", size]],
    tip: [
      counted(size, "episode"),
      `${i + 1}${i === 7 ? " or more" : ""} contact${i ? "s" : ""} heard`,
    ],
  }));
  return chart(
    title,
    "The contact itself and those that it kept from having a window",
    190,
    drawHistogram(bars, {
      ticks: bins.map((_, i) => [i + 1, i === 7 ? "8+" : String(i + 1)]),
      unit: "contacts",
    }),
    { label: "Histogram of contacts in a window" },
  );
}
