// What is shown lives in the address, behind the #, so that a reload, the back
// button and a copied link all come to the same view.

const EVERYTHING = { q: "", object: "", set: "", verdict: "", outcome: "", kind: "", media: "" };
const NOTHING = "\u2205";

function readState() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [page, ...rest] = path.split("/");
  const options = Object.fromEntries(new URLSearchParams(query ?? ""));
  const filters = { ...EVERYTHING };
  for (const name of Object.keys(EVERYTHING)) filters[name] = options[name] ?? "";
  let name = "";
  try {
    name = decodeURIComponent(rest.join("/"));
  } catch {
    name = rest.join("/");
  }
  return {
    page: ["objects", "object", "episodes"].includes(page) ? page : "overview",
    name,
    filters,
    number: Math.max(1, Number.parseInt(options.page ?? "1", 10) || 1),
    sort: options.sort ?? "",
    view: options.view ?? "",
    show: options.show ?? "",
  };
}

function address(change, state = readState()) {
  const next = { ...state, ...change, filters: { ...state.filters, ...(change.filters ?? {}) } };
  const options = new URLSearchParams();
  for (const [name, value] of Object.entries(next.filters)) if (value) options.set(name, value);
  if (next.number > 1) options.set("page", next.number);
  for (const name of ["sort", "view", "show"]) if (next[name]) options.set(name, next[name]);
  const path =
    next.page === "overview"
      ? ""
      : next.page === "object"
        ? `object/${encodeURIComponent(next.name)}`
        : next.page;
  const query = options.toString();
  return `#/${path}${query ? `?${query}` : ""}`;
}

function go(change, { replace = false } = {}) {
  const target = address(change);
  if (target === location.hash) return;
  if (replace) {
    history.replaceState(null, "", target);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  } else location.hash = target;
}

function matches(filters) {
  const words = filters.q.toLowerCase().split(/\s+/).filter(Boolean);
  const kind = filters.kind === "" ? null : DATA.kinds.indexOf(filters.kind);
  return (episode) =>
    (filters.object === "" ||
      episode.object.name === (filters.object === NOTHING ? "" : filters.object)) &&
    (filters.set === "" || episode.object.set === (filters.set === NOTHING ? "" : filters.set)) &&
    (filters.verdict === "" || episode.verdict === filters.verdict) &&
    (filters.outcome === "" ||
      episode.outcome === (filters.outcome === NOTHING ? "" : filters.outcome)) &&
    (kind === null || episode.kinds.includes(kind)) &&
    (filters.media === "" || episode.chunk !== null) &&
    words.every((word) => episode.words.includes(word));
}
