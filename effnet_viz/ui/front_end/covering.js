// Covering a part: a rectangle that is drawn, moved, and pulled at its corners.

const SMALLEST = 0.02; // of the photograph, along a side
const NUDGE = 0.02; // of the photograph, at each press of a key
const CORNER = 16; // pixels around a corner that take hold of it
const BY_KEYS = 0.4; // of the photograph: side of a rectangle that a key makes

// The rectangle as it is now, also while the server has not answered.
function coveredBox() {
  return covering.value ?? page.covered;
}

function isCovering() {
  return shared.tool === "box" || Boolean(coveredBox());
}

function cover(box, done) {
  const [left, right] = [Math.min(box[0], box[2]), Math.max(box[0], box[2])];
  const [top, bottom] = [Math.min(box[1], box[3]), Math.max(box[1], box[3])];
  const fits = right - left >= SMALLEST && bottom - top >= SMALLEST;
  if (fits) covering.ask([left, top, right, bottom].map((edge) => Number(edge.toFixed(3))), done);
  changed(POINTER | VIEW);
}

function uncover() {
  covering.stop();
  page.covered = null;
  page.tell("uncover", covering.number += 1);
  changed(EVERYTHING);
}

function chooseTool(tool) {
  shared.tool = tool;
  if (tool === "point" && coveredBox()) uncover();
  page.deck?.chooseTool(tool);
  changed(EVERYTHING);
}

function moved([left, top, right, bottom], dx, dy) {
  const x = clamp(dx, -left, 1 - right);
  const y = clamp(dy, -top, 1 - bottom);
  return [left + x, top + y, right + x, bottom + y];
}

// What a press takes hold of: a function from the pointer's place to the rectangle.
function gripOf(point, pane) {
  const box = coveredBox();
  if (box) {
    const [left, top, right, bottom] = box;
    const corners = [[left, top, right, bottom], [right, top, left, bottom], [left, bottom, right, top], [right, bottom, left, top]];
    const [px, py] = pane.place(point);
    for (const [x, y, ox, oy] of corners) {
      const [cx, cy] = pane.place({ x, y });
      if (Math.hypot(cx - px, cy - py) < CORNER) return (to) => [ox, oy, to.x, to.y];
    }
    if (isIn(point, box)) return (to) => moved(box, to.x - point.x, to.y - point.y);
  }
  return (to) => [point.x, point.y, to.x, to.y];
}

function coverAround({ x, y }) {
  const half = BY_KEYS / 2;
  cover(moved([0.5 - half, 0.5 - half, 0.5 + half, 0.5 + half], x - 0.5, y - 0.5), true);
}

// Arrows move the rectangle; with Shift they pull its lower right corner.
function keyOnBox(event) {
  const step = ARROW_STEPS[event.key];
  const box = coveredBox();
  if (!box) return;
  if (event.key === "Delete" || event.key === "Backspace") uncover();
  else if (!step) return;
  else {
    const [dx, dy] = step.map((way) => way * NUDGE);
    const [left, top, right, bottom] = box;
    cover(event.shiftKey
      ? [left, top, clamp(right + dx, left + SMALLEST, 1), clamp(bottom + dy, top + SMALLEST, 1)]
      : moved(box, dx, dy), true);
  }
  event.preventDefault();
  event.stopPropagation();
}
