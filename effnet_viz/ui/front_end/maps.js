// Maps as arrays: decode, enlarge, find a range, colour. Nothing here touches the page.
// effnet_viz/arrays.py and pictures/render.py do the same in Python; the browser tests hold the two
// together. A grid {rows, columns, start, step} says where its cells lie: see geometry.js.

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

// float32, little-endian, row after row.
function floatsOf(base64) {
  return new Float32Array(bytesOf(base64).buffer);
}

// A map's values: as they are, or in 65,536 levels from `low` to `high`.
function valuesOf({ values, levels }) {
  if (!levels) return floatsOf(values);
  const [low, high] = levels;
  return Float32Array.from(new Uint16Array(bytesOf(values).buffer), (level) => low + (level / 65535) * (high - low));
}

// A colour look-up table (LUT): 256 colours as an ImageData holds them, RGBA in one uint32, little-endian.
function decodeLut(base64) {
  const rgb = bytesOf(base64);
  return Uint32Array.from({ length: 256 }, (_, i) =>
    (255 << 24) | (rgb[3 * i + 2] << 16) | (rgb[3 * i + 1] << 8) | rgb[3 * i]);
}

// For every pixel of an axis: the cell before it, the cell after it, the share of the latter.
function bilinearAxis(cells, pixels, { start, step }) {
  const before = new Uint16Array(pixels);
  const after = new Uint16Array(pixels);
  const share = new Float32Array(pixels);
  for (let i = 0; i < pixels; i += 1) {
    const place = clamp(((i + 0.5) / pixels - start) / step, 0, cells - 1);
    before[i] = Math.floor(place);
    after[i] = Math.min(before[i] + 1, cells - 1);
    share[i] = place - before[i];
  }
  return { before, after, share };
}

// Values (rows, columns) enlarged to (height, width): bilinear between the centres of cells, constant
// beyond the first and the last one.
function enlargeSmoothly(values, grid, width, height) {
  const { rows, columns } = grid;
  const x = bilinearAxis(columns, width, grid);
  const y = bilinearAxis(rows, height, grid);
  const result = new Float32Array(width * height);
  const line = new Float32Array(columns);
  for (let j = 0, out = 0; j < height; j += 1) {
    const upper = y.before[j] * columns;
    const lower = y.after[j] * columns;
    const share = y.share[j];
    for (let column = 0; column < columns; column += 1) {
      line[column] = values[upper + column] * (1 - share) + values[lower + column] * share;
    }
    for (let i = 0; i < width; i += 1, out += 1) {
      const low = line[x.before[i]];
      result[out] = low + (line[x.after[i]] - low) * x.share[i];
    }
  }
  return result;
}

// The same as blocks: every pixel has the value of the nearest cell.
function enlargeCells(values, grid, width, height) {
  const { rows, columns } = grid;
  const column = Uint16Array.from({ length: width }, (_, i) => nearestCell((i + 0.5) / width, columns, grid));
  const result = new Float32Array(width * height);
  for (let j = 0, out = 0; j < height; j += 1) {
    const first = nearestCell((j + 0.5) / height, rows, grid) * columns;
    for (let i = 0; i < width; i += 1, out += 1) result[out] = values[first + column[i]];
  }
  return result;
}

function extremes(values) {
  let [lowest, highest] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return [lowest, highest];
}

// The ranges of render.py: 0 to the largest, -m to m, smallest to largest.
function positiveRange(maps) {
  const highest = Math.max(...maps.map((map) => map.highest));
  return [0, highest > 0 ? highest : 1];
}

function signedRange(maps) {
  const largest = Math.max(...maps.map((map) => Math.max(map.highest, -map.lowest)));
  return largest > 0 ? [-largest, largest] : [-1, 1];
}

function fullRange(maps) {
  const low = Math.min(...maps.map((map) => map.lowest));
  const high = Math.max(...maps.map((map) => map.highest));
  return high > low ? [low, high] : [low, low + 1];
}

// Where each value lies in the range, 0 to 255: all that is drawn depends on these alone.
function levelsOf(values, [low, high]) {
  const factor = 255 / (high - low);
  const levels = new Uint8ClampedArray(values.length);
  for (let i = 0; i < values.length; i += 1) levels[i] = (values[i] - low) * factor;
  return levels;
}

// Writes the colour of every level into the buffer of an ImageData.
function lookUp(levels, lut, rgba) {
  for (let i = 0; i < levels.length; i += 1) rgba[i] = lut[levels[i]];
}

const DIMMED = 0xb8000000; // black, 72 % opaque
const LINE = 0xf2ffffff; // white, 95 % opaque
const LINE_SHADOW = 0x99000000; // black, 60 % opaque

// Writes what lies over the colours: dimmed pixels below the threshold, lines between the bands.
function drawLines(levels, width, threshold, bands, rgba) {
  lookUp(levels, Uint32Array.from({ length: 256 }, (_, level) => (level < threshold ? DIMMED : 0)), rgba);
  if (!bands.length) return;
  const bandOf = Uint8Array.from({ length: 256 }, (_, level) => bands.filter((band) => level > band).length);
  const last = levels.length - width - 1;
  for (let i = 0; i < last; i += 1) {
    const band = bandOf[levels[i]];
    if (band === bandOf[levels[i + 1]] && band === bandOf[levels[i + width]]) continue;
    rgba[i] = LINE;
    if (band === bandOf[levels[i + 1]]) rgba[i + width] = LINE_SHADOW;
    else rgba[i + 1] = LINE_SHADOW;
  }
}

// A value in at most three significant digits, as render.number writes it.
function numberText(value) {
  if (value === 0) return "0";
  const digits = Number(value.toPrecision(3));
  const size = Math.abs(digits);
  const text = size >= 1e-4 && size < 1000 ? String(digits) : digits.toExponential();
  return text.replace(/e([+-])(\d)$/, "e$10$2").replaceAll("-", "−");
}

function rangeText([low, high]) {
  return `${numberText(low)} to ${numberText(high)}`;
}

// The share of cells with a smaller value, in whole percent.
function percentile(values, value) {
  let smaller = 0;
  for (const other of values) if (other < value) smaller += 1;
  return Math.floor((100 * smaller) / values.length);
}
