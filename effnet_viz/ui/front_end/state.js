// What all parts of a page share: settings, zoom, pointer, photographs. One frame draws them all.

const SETTINGS = {
  opacity: { initial: 55, read: numberBetween(0, 100) },
  evidence: { initial: "positive", read: oneOf("positive", "signed") },
  scale: { initial: "own", read: oneOf("own", "shared", "fixed") }, // the page says which is usual
  fixed: { initial: null, read: numbersBetween(1e-9, 1e9) }, // upper ends, "19.5,8.97": a map each
  colours: { initial: "magma", read: oneOf() }, // the deck knows the names
  signed_colours: { initial: "RdBu_r", read: oneOf() },
  threshold: { initial: 0, read: numberBetween(0, 95) }, // percent of the upper end of the scale
  contours: { initial: "off", read: oneOf("off", "on") },
  divider: { initial: null, read: numberBetween(0, 100) }, // percent of the width; null: no divider
  cells: { initial: "smooth", read: oneOf("smooth", "blocks") },
  view: { initial: "crop", read: oneOf("photograph", "crop") },
  pin: { initial: null, read: pointText }, // "0.250,0.500", fractions of the photograph
};

function numberBetween(low, high) {
  return (text) => {
    const value = Number(text);
    return text !== "" && value >= low && value <= high ? value : undefined;
  };
}

// Commas between them; the text is kept.
function numbersBetween(low, high) {
  const read = numberBetween(low, high);
  return (text) => (text.split(",").every((part) => read(part) !== undefined) ? text : undefined);
}

function oneOf(...choices) {
  const read = (text) => (read.choices.includes(text) ? text : undefined);
  read.choices = choices;
  return read;
}

function pointText(text) {
  const parts = text.split(",").map(Number);
  return parts.length === 2 && parts.every((part) => part >= 0 && part <= 1) ? text : undefined;
}

// What has changed and must be drawn again.
const PHOTOGRAPH = 1; // the picture itself
const COLOURS = 2; // colours and lines of maps
const VIEW = 4; // zoom, opacity, divider
const POINTER = 8; // marks and readings
const EVERYTHING = 15;

const settings = Object.fromEntries(Object.entries(SETTINGS).map(([name, { initial }]) => [name, initial]));
const view = { zoom: 1, x: 0.5, y: 0.5 }; // the centre in fractions of what is shown at zoom 1
const shared = {
  pointer: null, // {x, y} in fractions of the photograph
  announce: false, // the pointer was moved by keys: say the reading aloud
  holding: false, // the bare photograph is shown while a key is held
  tool: "point", // or "box"
};
const photographs = new Map(); // id to {url, width, height}
const parts = new Set(); // objects with draw(changes)
const luts = { sequential: new Map(), diverging: new Map() }; // name to 256 colours
const slots = new Map(); // name to the picture of the deck that shows the map of this name
const waitingMaps = new Map(); // name to a map that came before the deck
// What the page offers beside looking; the deck brings it.
const page = {
  tell: () => {}, // tell(name, value); what the page around it listens to
  follow: () => {}, // the same, of what is dragged
  steps: [], // what the presenter's arrow keys step
  movable: false, // whether the object can be moved
  stages: new Map(), // name to the pictures of all stages for this picture of the deck
};

let pending = 0;

function changed(what) {
  if (!pending) requestAnimationFrame(drawAll);
  pending |= what;
}

function drawAll() {
  const changes = pending;
  pending = 0;
  for (const part of parts) part.draw(changes);
}

const REDRAWS = {
  opacity: VIEW, divider: VIEW | POINTER, view: VIEW | POINTER, pin: POINTER,
};

function set(name, value) {
  settings[name] = value;
  if (name === "scale") scaleChosen = true;
  changed(REDRAWS[name] ?? COLOURS | POINTER);
  writeAddress();
}

function pinned() {
  if (settings.pin === null) return null;
  const [x, y] = settings.pin.split(",").map(Number);
  return { x, y };
}

function pinAt(point) {
  set("pin", point && `${point.x.toFixed(3)},${point.y.toFixed(3)}`);
}

function pointAt(point, announce = false) {
  shared.pointer = point;
  shared.announce = announce;
  changed(POINTER);
}

function zoomBy(factor, around = view) {
  const zoom = clamp(view.zoom * factor, 1, 16);
  const kept = view.zoom / zoom; // what is under the pointer stays there
  lookAt(zoom, around.x + (view.x - around.x) * kept, around.y + (view.y - around.y) * kept);
}

function lookAt(zoom, x, y) {
  const half = 0.5 / zoom;
  Object.assign(view, { zoom, x: clamp(x, half, 1 - half), y: clamp(y, half, 1 - half) });
  changed(VIEW | POINTER);
}

let scaleChosen = false; // by somebody; until then a page shows its usual one

function usualScale(scale) {
  SETTINGS.scale.initial = scale;
  if (!scaleChosen) settings.scale = scale;
}

// What the server wants in the address: for each part of the page that says so, values by name. null
// takes a name out, unless another part has a value for it.
const address = new Map();

function wantedInAddress() {
  const wanted = {};
  for (const values of address.values()) {
    for (const [name, value] of Object.entries(values)) wanted[name] = value ?? wanted[name] ?? null;
  }
  return wanted;
}

let addressRead = false;

// Settings are read from the address once, when the colours are known that it can name; from then on
// the address follows them.
function readAddress() {
  addressRead = true;
  const query = new URLSearchParams(location.search);
  for (const [name, { read }] of Object.entries(SETTINGS)) {
    const value = query.has(name) ? read(query.get(name)) : undefined;
    if (value !== undefined) settings[name] = value;
  }
  scaleChosen = query.has("scale");
  if (settings.scale === "fixed" && settings.fixed === null) settings.scale = SETTINGS.scale.initial;
}

// Replaces the entry of the history: Back goes to the page before, whatever was chosen meanwhile.
function writeAddress() {
  const next = new URL(location.href);
  const wanted = wantedInAddress();
  if (decks && addressRead) for (const [name, { initial }] of Object.entries(SETTINGS)) {
    const idle = settings[name] === initial || (name === "fixed" && settings.scale !== "fixed");
    wanted[name] = idle ? null : String(settings[name]);
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (value === null) next.searchParams.delete(name);
    else if (Array.isArray(value)) setAll(next.searchParams, name, value.length ? value : [""]);
    else if (next.searchParams.get(name) !== value) next.searchParams.set(name, value);
  }
  if (next.href !== location.href) history.replaceState(history.state, "", next);
}

function setAll(query, name, values) {
  if (String(query.getAll(name)) === String(values)) return;
  query.delete(name);
  for (const value of values) query.append(name, value);
}

let decks = 0; // on the page: without one, there is nothing to set

// The scale that a map really has: the upper end of the fixed one is in units of evidence; evidence
// shares a range where its unit means the same elsewhere, and an activation where it comes with one.
function scaleOf(map) {
  if (settings.scale === "own" || (settings.scale === "fixed" && !fixedEnd(map))) return "own";
  if (map.kind === "evidence") return settings.scale === "shared" && !map.shares ? "own" : settings.scale;
  return map.common ? "shared" : "own";
}

// The range that a map is coloured with; evidence in one unit can share it.
function rangeOf(map) {
  const scale = scaleOf(map);
  if (map.kind === "activation") return scale === "shared" ? map.common : fullRange([map]);
  if (scale === "fixed") {
    const high = fixedEnd(map);
    return settings.evidence === "signed" ? [-high, high] : [0, high];
  }
  const maps = scale === "shared"
    ? [...parts].map((part) => part.map).filter((other) => other?.kind === "evidence" && other.shares === map.shares)
    : [map];
  return settings.evidence === "signed" ? signedRange(maps) : positiveRange(maps);
}

function fixedEnd(map) {
  const ends = String(settings.fixed).split(",").map(Number);
  return ends[Math.min(map.place ?? 0, ends.length - 1)];
}

// Locks every map of the deck at these upper ends.
function lockAt(ends) {
  settings.fixed = ends.map((end) => Number(end.toPrecision(3))).join(",");
  set("scale", "fixed");
}

// As bright as they are now.
function lockNow() {
  const maps = [...slots.values()].map(({ map }) => map).filter((map) => map?.kind === "evidence");
  if (maps.length) lockAt(maps.map((map) => rangeOf(map)[1]));
}

function isSigned(map) {
  return map.kind === "evidence" && settings.evidence === "signed";
}

function lutOf(map) {
  if (map.kind === "activation") return luts.sequential.get("viridis");
  return isSigned(map)
    ? luts.diverging.get(settings.signed_colours)
    : luts.sequential.get(settings.colours);
}
