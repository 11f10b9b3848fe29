// Begin, and follow the address.

const main = document.getElementById("main");
const form = document.getElementById("filters");
let before = "";

function render() {
  const state = readState();
  const object = state.page === "object" ? state.name : null;
  const filters = object === null ? state.filters : { ...state.filters, object: "" };
  const fits = matches(filters);
  const episodes = EPISODES.filter(
    (episode) => (object === null || episode.object.name === object) && fits(episode),
  );
  const pages = {
    overview: overviewPage,
    objects: objectsPage,
    object: objectPage,
    episodes: episodesPage,
  };
  dropBlobs();
  watcher.disconnect();
  document.getElementById("tip").classList.remove("shown");
  main.replaceChildren(...pages[state.page](episodes, state).filter(Boolean));
  main.dataset.page = state.page;
  showFilters(form, state, episodes.length);
  for (const link of document.querySelectorAll(".tabs a")) {
    const here = link.dataset.page === (state.page === "object" ? "objects" : state.page);
    link.toggleAttribute("aria-current", here);
    if (here) link.setAttribute("aria-current", "page");
    link.href = address({ page: link.dataset.page, number: 1, sort: "", view: "" });
  }
  const title =
    object === null
      ? { overview: "Overview", objects: "Objects", episodes: "Episodes" }[state.page]
      : pretty(object);
  document.title = `${title} · ${DATA.title}`;
  const where = `${state.page}/${state.name}/${state.number}`;
  if (before !== "" && where !== before && document.activeElement?.name !== "q")
    window.scrollTo(0, 0);
  before = where;
}

function readyTheme() {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  try {
    const kept = localStorage.getItem("tiltbot-theme");
    if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  } catch {
    // A browser may refuse storage to files; then the theme is the system's.
  }
  document.getElementById("theme").addEventListener("click", () => {
    const now = root.dataset.theme ?? (dark.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("tiltbot-theme", root.dataset.theme);
    } catch {
      // As above.
    }
  });
}

readyTheme();
readyDetail();
buildFilters(form);
document.querySelector(".brand-name").textContent = DATA.title;
document
  .getElementById("foot")
  .append(
    h(
      "p",
      {},
      `Made by tiltbot ${DATA.software} on ${DATA.made} from the folder ${DATA.folder}. ${DATA.note}`,
    ),
  );
window.addEventListener("hashchange", render);
render();
