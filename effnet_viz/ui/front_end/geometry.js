// Places in a picture: points {x, y} and boxes [left, top, right, bottom] in fractions of the
// photograph, cells {row, column} of a map, areas {x, y, width, height} in pixels of the
// photograph. A map's grid {rows, columns, start, step} lies in a box: the centre of cell i is at
// start + i * step of its side, down as across. Nothing here touches the page.

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

// A box in whole pixels of the photograph, as pictures/render.py rounds it.
function areaOf([left, top, right, bottom], { width, height }) {
  const x = Math.min(Math.round(left * width), width - 1);
  const y = Math.min(Math.round(top * height), height - 1);
  return {
    x, y,
    width: clamp(Math.round(right * width), x + 1, width) - x,
    height: clamp(Math.round(bottom * height), y + 1, height) - y,
  };
}

// The part of an area that is shown when it is zoomed: {zoom, x, y}, the centre in fractions of it.
function zoomedPart(area, { zoom, x, y }) {
  const width = area.width / zoom;
  const height = area.height / zoom;
  return { x: area.x + x * area.width - width / 2, y: area.y + y * area.height - height / 2, width, height };
}

// From the photograph to the screen, where the visible area is `across` pixels wide, and back:
// `frame` is the rectangle of the screen that shows the visible area.
function toScreen({ x, y }, photograph, visible, across) {
  const scale = across / visible.width;
  return [(x * photograph.width - visible.x) * scale, (y * photograph.height - visible.y) * scale];
}

function fromScreen({ clientX, clientY }, photograph, visible, frame) {
  const x = visible.x + ((clientX - frame.left) / frame.width) * visible.width;
  const y = visible.y + ((clientY - frame.top) / frame.height) * visible.height;
  return { x: clamp(x / photograph.width, 0, 1), y: clamp(y / photograph.height, 0, 1) };
}

function isIn({ x, y }, [left, top, right, bottom]) {
  return x >= left && x <= right && y >= top && y <= bottom;
}

// The cell of one axis whose centre is nearest to a place, a fraction of the side.
function nearestCell(place, cells, { start, step }) {
  return clamp(Math.round((place - start) / step), 0, cells - 1);
}

// The nearest cell to a point of a map that lies in the box; null beside it.
function cellAt(point, box, grid) {
  if (!isIn(point, box)) return null;
  const [left, top, right, bottom] = box;
  return {
    row: nearestCell((point.y - top) / (bottom - top), grid.rows, grid),
    column: nearestCell((point.x - left) / (right - left), grid.columns, grid),
  };
}

// The centre of the cell that is `by` cells from the one at a point, along one side of the box.
function cellBeside(at, low, high, cells, grid, by) {
  const cell = clamp(nearestCell((at - low) / (high - low), cells, grid) + by, 0, cells - 1);
  return low + clamp(grid.start + cell * grid.step, 0, 1) * (high - low);
}

// The block of a cell, where no other one is nearer, in fractions of the map's box.
function cellBox({ row, column }, { rows, columns, start, step }) {
  const edge = (cell, cells) =>
    cell === 0 ? 0 : cell === cells ? 1 : clamp(start + (cell - 0.5) * step, 0, 1);
  return [edge(column, columns), edge(row, rows), edge(column + 1, columns), edge(row + 1, rows)];
}

// What a cell can see through the convolutions, in fractions of the model's input, cut at its borders.
function receptiveField({ row, column }, { side, effective_stride, start, resolution }) {
  const edge = (cell, half) => clamp((start + cell * effective_stride + half * side) / resolution, 0, 1);
  return [edge(column, -0.5), edge(row, -0.5), edge(column, 0.5), edge(row, 0.5)];
}

// A box in fractions of another one, in fractions of what the other is in.
function within([x0, y0, x1, y1], [left, top, right, bottom]) {
  const [w, h] = [x1 - x0, y1 - y0];
  return [x0 + left * w, y0 + top * h, x0 + right * w, y0 + bottom * h];
}

// Whether a polygon encloses a point: a line from it to the right crosses an odd number of sides.
function encloses(corners, { x, y }) {
  let inside = false;
  corners.forEach(([x1, y1], i) => {
    const [x0, y0] = corners.at(i - 1);
    if ((y0 > y) !== (y1 > y) && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) inside = !inside;
  });
  return inside;
}

// The convex hull of points (Andrew's monotone chain).
function hull(points) {
  const sorted = [...points].sort(([x0, y0], [x1, y1]) => x0 - x1 || y0 - y1);
  const turns = ([ax, ay], [bx, by], [cx, cy]) => (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  const half = (side) => {
    const chain = [];
    for (const point of side) {
      while (chain.length > 1 && turns(chain.at(-2), chain.at(-1), point) <= 0) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

// Paths of SVG; `place` takes a point to [x, y] on the screen.

function rectanglePath([left, top, right, bottom], place) {
  const [x0, y0] = place({ x: left, y: top }).map(Math.round);
  const [x1, y1] = place({ x: right, y: bottom }).map(Math.round);
  return `M${x0} ${y0}H${x1}V${y1}H${x0}Z`;
}

function polygonPath(corners, place) {
  const texts = corners.map(([x, y]) => place({ x, y }).map((value) => value.toFixed(1)).join(" "));
  return `M${texts.join("L")}Z`;
}

function crossPath(point, place) {
  const [i, j] = place(point).map(Math.round);
  return `M${i - 9} ${j}h6m6 0h6M${i} ${j - 9}v6m0 6v6`;
}
