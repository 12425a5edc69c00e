// What all parts of a page share: settings, zoom, pointer, photographs. One frame draws them all.

const SETTINGS = {
  opacity: { initial: 55, read: numberBetween(0, 100) },
  evidence: { initial: "positive", read: oneOf("positive", "signed") },
  scale: { initial: "own", read: oneOf("own", "shared", "fixed") },
  fixed: { initial: null, read: numberBetween(1e-9, 1e9) }, // upper end of the fixed scale
  colours: { initial: "magma", read: oneOf() }, // the toolbar knows the names
  signed_colours: { initial: "RdBu_r", read: oneOf() },
  threshold: { initial: 0, read: numberBetween(0, 95) }, // percent of the upper end of the scale
  contours: { initial: "off", read: oneOf("off", "on") },
  divider: { initial: null, read: numberBetween(0, 100) }, // percent of the width; null: no divider
  cells: { initial: "smooth", read: oneOf("smooth", "blocks") },
  view: { initial: "photograph", read: oneOf("photograph", "crop") },
  pin: { initial: null, read: pointText }, // "0.250,0.500", fractions of the photograph
};

function numberBetween(low, high) {
  return (text) => {
    const value = Number(text);
    return text !== "" && value >= low && value <= high ? value : undefined;
  };
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
  drawing: null, // the rectangle that is being drawn: {from, to}
  tool: "point", // or "box"
};
const photographs = new Map(); // id to {url, width, height}
const parts = new Set(); // objects with draw(changes)
const luts = { sequential: new Map(), diverging: new Map() }; // name to 256 colours
// What the page offers beside looking; the toolbar brings it.
const page = {
  tell: () => {}, // tell("box", box), tell("step", [what, by]), tell("move", [x, y, done, number])
  steps: [], // what the presenter's arrow keys step
  movable: false, // whether the object can be moved
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

// Settings are read from the address once, when the page is opened; then the address follows them.
function readAddress() {
  const query = new URLSearchParams(location.search);
  for (const [name, { read }] of Object.entries(SETTINGS)) {
    const value = query.has(name) ? read(query.get(name)) : undefined;
    if (value !== undefined) settings[name] = value;
  }
  if (settings.scale === "fixed" && settings.fixed === null) settings.scale = "own";
}

function writeAddress() {
  const address = new URL(location.href);
  for (const [name, { initial }] of Object.entries(SETTINGS)) {
    if (settings[name] === initial) address.searchParams.delete(name);
    else if (address.searchParams.get(name) !== String(settings[name])) {
      address.searchParams.set(name, settings[name]);
    }
  }
  if (address.href !== location.href) history.replaceState(history.state, "", address);
}

// The scale that a map really has: the upper end of the fixed one is in units of evidence, and an
// activation shares a range only where it comes with one.
function scaleOf(map) {
  if (map.kind === "evidence" || settings.scale === "own") return settings.scale;
  return map.common ? "shared" : "own";
}

// The range that a map is coloured with; all evidence on the page can share it.
function rangeOf(map) {
  const scale = scaleOf(map);
  if (map.kind === "activation") return scale === "shared" ? map.common : fullRange([map]);
  const high = settings.fixed;
  if (scale === "fixed") return settings.evidence === "signed" ? [-high, high] : [0, high];
  const maps = scale === "shared"
    ? [...parts].map((part) => part.map).filter((other) => other?.kind === "evidence")
    : [map];
  return settings.evidence === "signed" ? signedRange(maps) : positiveRange(maps);
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

// A new element; attributes that start with "on" are listeners, the others are plain attributes.
function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) created.addEventListener(name.slice(2), value);
    else created.setAttribute(name, value);
  }
  created.append(...children);
  return created;
}

function listen(target, listeners) {
  for (const [name, listener] of Object.entries(listeners)) target.addEventListener(name, listener);
}
