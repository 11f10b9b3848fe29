// How charts are drawn: at the size they have, and anew when that changes.

const watcher = new ResizeObserver((entries) => {
  for (const entry of entries) entry.target.redraw?.();
});

function chart(title, note, height, draw, { label, shape = "" } = {}) {
  const place = h("div", { class: "plot", style: { "min-height": `${height}px` } });
  let drawn = "";
  place.redraw = () => {
    const [width, height] = [place.clientWidth, place.clientHeight];
    if (width === 0 || drawn === `${width} ${height}`) return;
    drawn = `${width} ${height}`;
    const figure = s("svg", {
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": label ?? title,
    });
    draw(figure, width, height);
    place.replaceChildren(figure);
  };
  watcher.observe(place);
  const caption = h("figcaption", {}, h("h3", {}, title), note ? h("p", {}, note) : null);
  return h("figure", { class: `panel chart ${shape}` }, caption, place);
}

function empty(title, text, shape = "") {
  return h(
    "figure",
    { class: `panel chart ${shape}` },
    h("figcaption", {}, h("h3", {}, title)),
    h("p", { class: "nothing" }, text),
  );
}

function niceStep(span, parts) {
  const raw = span / Math.max(parts, 1);
  const power = 10 ** Math.floor(Math.log10(raw || 1));
  return [1, 2, 2.5, 5, 10].map((part) => part * power).find((step) => step >= raw * 0.999);
}

function gridLines(figure, top, { left, right, y, parts = 3 }) {
  const step = Math.max(1, niceStep(top, parts));
  for (let value = 0; value <= top * 1.0001; value += step) {
    figure.append(
      s("line", {
        class: value === 0 ? "axis" : "grid",
        x1: left,
        x2: right,
        y1: y(value),
        y2: y(value),
      }),
    );
    figure.append(
      s(
        "text",
        { class: "tick", x: left - 6, y: y(value) + 3.5, "text-anchor": "end" },
        integer.format(value),
      ),
    );
  }
}

// bars: {from, to, parts: [[class, count]...], tip: [lines]}; ticks: [[value, text]...]
function drawHistogram(bars, { ticks, marks = [], unit = "" }) {
  return (figure, width, height) => {
    const top = Math.max(
      1,
      ...bars.map((bar) => bar.parts.reduce((sum, part) => sum + part[1], 0)),
    );
    const left = 12 + 6.4 * integer.format(Math.ceil(top)).length;
    const right = width - 6;
    const base = height - (unit ? 34 : 20);
    const low = bars[0].from;
    const high = bars.at(-1).to;
    const x = (value) => left + ((value - low) / (high - low || 1)) * (right - left);
    const y = (value) => base - (value / top) * (base - 8);
    gridLines(figure, top, { left, right, y });
    for (const bar of bars) {
      let sum = 0;
      const group = s("g", { class: "bar" });
      const gap = Math.min(1.5, (x(bar.to) - x(bar.from)) * 0.12);
      const span = Math.max(0.6, x(bar.to) - x(bar.from) - gap);
      for (const [kind, count] of bar.parts) {
        if (count === 0) continue;
        group.append(
          s("rect", {
            class: kind,
            x: x(bar.from) + gap / 2,
            width: span,
            y: y(sum + count),
            height: Math.max(y(sum) - y(sum + count), 0.8),
            rx: Math.min(2, span / 3),
          }),
        );
        sum += count;
      }
      group.append(
        s("rect", {
          class: "reach",
          x: x(bar.from),
          width: Math.max(0.6, x(bar.to) - x(bar.from)),
          y: 6,
          height: base - 6,
        }),
      );
      figure.append(tip(group, () => bar.tip));
    }
    for (const [value, text] of ticks) {
      if (value < low - 1e-9 || value > high + 1e-9) continue;
      const reach = 3.2 * text.length;
      figure.append(
        s(
          "text",
          {
            class: "tick",
            x: Math.max(left - 8 + reach, Math.min(x(value), right - reach + 4)),
            y: base + 15,
            "text-anchor": "middle",
          },
          text,
        ),
      );
    }
    if (unit)
      figure.append(
        s(
          "text",
          { class: "tick unit", x: (left + right) / 2, y: height - 4, "text-anchor": "middle" },
          unit,
        ),
      );
    for (const [value, text] of marks) {
      figure.append(s("line", { class: "mark", x1: x(value), x2: x(value), y1: 6, y2: base }));
      const end = x(value) > (left + right) / 2;
      figure.append(
        s(
          "text",
          {
            class: "tick marked",
            x: x(value) + (end ? -5 : 5),
            y: 14,
            "text-anchor": end ? "end" : "start",
          },
          text,
        ),
      );
    }
  };
}

function binned(values, low, high, count) {
  const bins = new Array(count).fill(0);
  for (const value of values) {
    const place = Math.floor(((value - low) / (high - low)) * count);
    bins[Math.min(count - 1, Math.max(0, place))] += 1;
  }
  return bins;
}

function bounds(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

// Horizontal bars made of elements, so that each is a link.
function barList(title, note, rows, { wide = false } = {}) {
  if (rows.length === 0) return null;
  const most = Math.max(1, ...rows.map((row) => row.parts.reduce((sum, part) => sum + part[1], 0)));
  const list = h("ul", { class: "bars" });
  for (const row of rows) {
    const sum = row.parts.reduce((total, part) => total + part[1], 0);
    const stack = h("span", { class: "stack" });
    for (const [kind, count] of row.parts)
      if (count > 0)
        stack.append(h("i", { class: kind, style: { width: `${(100 * count) / most}%` } }));
    list.append(
      h(
        "li",
        {},
        tip(
          h(
            "a",
            { href: row.href },
            h(
              "span",
              { class: "name" },
              row.dot ? h("i", { class: "dot", style: { background: row.dot } }) : null,
              row.name,
            ),
            stack,
            h("span", { class: "count" }, integer.format(sum)),
          ),
          () => row.tip,
        ),
      ),
    );
  }
  return h(
    "figure",
    { class: `panel chart${wide ? " wide" : ""}` },
    h("figcaption", {}, h("h3", {}, title), note ? h("p", {}, note) : null),
    list,
  );
}
