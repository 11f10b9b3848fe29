// Pictures and sound come in chunks: from files beside the page, or from blocks within it.

const CHUNKS = new Map();
const KEPT_CHUNKS = 40;
const waiting = new Map();

// What the chunk files call.
globalThis.tiltbotMedia = (number, entries) => {
  const answer = waiting.get(number);
  waiting.delete(number);
  answer?.resolve(entries);
};

function loadFile(number) {
  return new Promise((resolve, reject) => {
    waiting.set(number, { resolve });
    const script = h("script", { src: DATA.chunks[number].file });
    script.async = true;
    script.onload = () => {
      script.remove();
      if (waiting.delete(number)) reject(new Error("empty"));
    };
    script.onerror = () => {
      script.remove();
      waiting.delete(number);
      reject(new Error("missing"));
    };
    document.head.append(script);
  });
}

function loadChunk(number) {
  if (!CHUNKS.has(number)) {
    const block = document.getElementById(`chunk-${number}`);
    const entries = block
      ? Promise.resolve().then(() => JSON.parse(block.textContent))
      : loadFile(number);
    const found = entries.then((list) => new Map(list.map((entry) => [entry.id, entry])));
    found.catch(() => CHUNKS.delete(number));
    CHUNKS.set(number, found);
    if (CHUNKS.size > KEPT_CHUNKS) CHUNKS.delete(CHUNKS.keys().next().value);
  }
  return CHUNKS.get(number);
}

async function mediaOf(episode) {
  if (episode.chunk === null) return null;
  return (await loadChunk(episode.chunk)).get(episode.id) ?? null;
}

// The files are in the alphabet of addresses, which is another one than that of data URIs.
const base64 = (text) => text.replaceAll("-", "+").replaceAll("_", "/");
const pictureAddress = (data) => `data:image/jpeg;base64,${base64(data)}`;

function blobOf(data, type) {
  return URL.createObjectURL(
    new Blob([Uint8Array.from(atob(base64(data)), (letter) => letter.charCodeAt(0))], { type }),
  );
}

// Addresses of blobs that are on the page; given back when the page changes.
const blobs = new Set();

function soundAddress(sound) {
  const url = blobOf(sound.data, sound.type);
  blobs.add(url);
  return url;
}

function dropBlobs() {
  for (const url of blobs) URL.revokeObjectURL(url);
  blobs.clear();
}
