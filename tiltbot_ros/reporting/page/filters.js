// The row of filters. It is built once; only its values change.

function select(name, label, choices) {
  const field = h("select", {
    name,
    onchange: (event) => go({ filters: { [name]: event.target.value }, number: 1 }),
  });
  for (const [value, text] of choices) field.append(h("option", { value }, text));
  return h("label", { class: "field" }, h("span", {}, label), field);
}

function buildFilters(form) {
  const search = h("input", {
    type: "search",
    name: "q",
    placeholder: "Search names, labels, problems",
    autocomplete: "off",
    spellcheck: "false",
    "aria-label": "Search",
    oninput: (event) => go({ filters: { q: event.target.value }, number: 1 }, { replace: true }),
  });
  const counts = new Map();
  for (const episode of EPISODES)
    counts.set(episode.outcome, (counts.get(episode.outcome) ?? 0) + 1);
  const outcomes = [...counts].filter(([outcome]) => outcome !== "").sort((a, b) => b[1] - a[1]);
  const sets = [...new Set(OBJECTS.map((object) => object.set))].sort();
  form.append(
    h(
      "div",
      { class: "search" },
      s(
        "svg",
        { viewBox: "0 0 16 16", "aria-hidden": "true" },
        s("path", { d: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.4 10.4 14 14" }),
      ),
      search,
      h("kbd", { "aria-hidden": "true" }, "/"),
    ),
    select("object", "Object", [
      ["", "all objects"],
      ...OBJECTS.map((object) => [object.name || NOTHING, object.title]),
    ]),
  );
  if (sets.some((set) => set !== ""))
    form.append(
      select("set", "Set", [
        ["", "all sets"],
        ...sets.map((set) => [set || NOTHING, set ? `set ${set}` : "in no set"]),
      ]),
    );
  form.append(
    select("verdict", "Verdict", [
      ["", "any verdict"],
      ...VERDICTS.map((verdict) => [verdict, verdict]),
    ]),
  );
  if (DATA.kinds.length > 0)
    form.append(
      select("kind", "Problem", [["", "any problem"], ...DATA.kinds.map((kind) => [kind, kind])]),
    );
  if (outcomes.length > 0)
    form.append(
      select("outcome", "Outcome", [
        ["", "any outcome"],
        [NOTHING, "without outcome"],
        ...outcomes.map(([outcome, count]) => [outcome, `${outcome} (${count})`]),
      ]),
    );
  if (DATA.chunks.length > 0)
    form.append(
      select("media", "Media", [
        ["", "any media"],
        ["yes", "with pictures"],
      ]),
    );
  form.append(
    h(
      "button",
      { type: "button", class: "clear", onclick: () => go({ filters: EVERYTHING, number: 1 }) },
      "Clear",
    ),
    h("output", { class: "hits", "aria-live": "polite" }),
  );
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input, select, textarea, dialog")) {
      event.preventDefault();
      search.focus();
    }
  });
}

function showFilters(form, state, hits) {
  for (const field of form.elements) {
    if (!(field.name in state.filters) || field === document.activeElement) continue;
    field.value = state.filters[field.name];
    if (field.tagName === "SELECT") field.classList.toggle("set", field.value !== "");
  }
  form.elements.object.closest("label").hidden = state.page === "object";
  form.querySelector(".clear").hidden = Object.values(state.filters).every((value) => value === "");
  form.querySelector(".hits").textContent =
    hits === EPISODES.length
      ? counted(hits, "episode")
      : `${integer.format(hits)} of ${counted(EPISODES.length, "episode")}`;
}
