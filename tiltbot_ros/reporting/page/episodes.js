// The table of the data set as a list of episodes.

const DATA = JSON.parse(document.getElementById("data").textContent);
const OBJECTS = DATA.objects.map((object, index) => ({
  ...object,
  index,
  title: pretty(object.name),
}));
const BY_NAME = new Map(OBJECTS.map((object) => [object.name, object]));

const EPISODES = DATA.rows.id.map((id, index) => {
  const rows = DATA.rows;
  const object = OBJECTS[rows.object[index]];
  const labels = rows.labels[index].map(([name, value]) => [DATA.texts[name], DATA.texts[value]]);
  const problems = rows.problems[index].map((text) => DATA.texts[text]);
  const outcome = DATA.texts[rows.outcome[index]];
  return {
    index,
    id,
    object,
    time: rows.time[index],
    level: rows.level[index],
    channel: rows.channel[index],
    action:
      rows.ax[index] === null || rows.ay[index] === null ? null : [rows.ax[index], rows.ay[index]],
    contacts: rows.contacts[index],
    rate: rows.rate[index],
    seconds: rows.seconds[index],
    bytes: rows.bytes[index],
    verdict: VERDICTS[rows.verdict[index]],
    kinds: rows.kinds[index],
    problems,
    outcome,
    labels,
    kept: rows.kept[index] === 1,
    chunk: null,
    words: [
      id,
      object.name,
      object.title,
      outcome,
      ...labels.map((pair) => pair.join("=")),
      ...problems,
    ]
      .join("\n")
      .toLowerCase(),
  };
});

for (const [number, chunk] of DATA.chunks.entries())
  for (const index of chunk.episodes) EPISODES[index].chunk = number;

// How long was collected: the time between contacts, pauses left out.
function collected(episodes) {
  const times = Float64Array.from(
    episodes.filter((episode) => episode.time !== null).map((episode) => episode.time),
  ).sort();
  let seconds = 0;
  for (let i = 1; i < times.length; i += 1) {
    const step = (times[i] - times[i - 1]) / 1000;
    if (step <= DATA.pause_s) seconds += step;
  }
  return seconds;
}

function tally(episodes) {
  const found = { clean: 0, flagged: 0, unreadable: 0, bytes: 0, seconds: 0, kept: 0 };
  for (const episode of episodes) {
    found[episode.verdict] += 1;
    found.bytes += episode.bytes ?? 0;
    found.seconds += episode.seconds ?? 0;
    found.kept += episode.kept;
  }
  return found;
}
