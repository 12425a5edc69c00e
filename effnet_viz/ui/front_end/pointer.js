// What pointers and keys do to one picture. One pointer points, pins, pans, drags the object or
// covers a part; two zoom. Arrows move from cell to cell, Enter pins.

const ARROW_STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const DIVIDER_STEPS = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, Home: -100, End: 100 };
const PUSH = 0.05; // of the photograph, at each press of a key
const REACH = 0.05; // of the photograph: what is hidden altogether can still be fetched where it is

class PaneInput {
  constructor(pane) {
    this.pane = pane;
    this.pressed = new Map(); // pointers that are down: id to the last place
    this.grip = null; // from the pointer to the centre of the object that it drags, and which that is
    this.cover = null; // from the pointer's place to the rectangle that it draws, moves or pulls
    listen(pane.stage, {
      pointerdown: (event) => this.press(event),
      pointermove: (event) => this.move(event),
      pointerup: (event) => this.release(event),
      pointercancel: () => this.cancel(),
      pointerleave: (event) => this.leave(event),
      dblclick: (event) => this.zoomAt(event, 2),
      wheel: (event) => this.wheel(event),
      // A finger on the object moves it, elsewhere it scrolls the page.
      touchstart: (event) => {
        const [touch, ...more] = event.touches;
        if (!more.length && this.objectAt(pane.pointOf(touch)) >= 0) event.preventDefault();
      },
      keydown: (event) => this.key(event),
    });
    listen(pane.divider, {
      pointerdown: (event) => this.dragDivider(event),
      pointermove: (event) => this.dragDivider(event),
      keydown: keyOnDivider,
    });
  }

  // The place in the list of the object that can be moved at a point of the photograph, the uppermost
  // of several; -1 where there is none.
  objectAt(point) {
    const { objects } = this.pane.data;
    if (!page.movable || shared.tool !== "point") return -1;
    const on = objects.findLastIndex(({ outline }) => encloses(hull(outline.flat()), point));
    if (on >= 0) return on;
    return objects.findLastIndex(({ centre: [x, y] }) => Math.hypot(point.x - x, point.y - y) < REACH);
  }

  press(event) {
    if (event.button !== 0) return;
    this.pressed.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.moved = false;
    const point = this.pane.pointOf(event);
    this.endDrag(); // a second finger zooms
    this.cover = shared.tool === "box" && this.pressed.size === 1 ? gripOf(point, this.pane) : null;
    const number = this.pressed.size === 1 ? this.objectAt(point) : -1;
    if (number >= 0) {
      const [x, y] = this.pane.data.objects[number].centre;
      this.grip = { x: x - point.x, y: y - point.y, number };
    }
    if (event.pointerType !== "touch" || shared.tool === "box" || view.zoom > 1 || this.grip) {
      this.pane.stage.setPointerCapture(event.pointerId);
    }
    changed(POINTER);
  }

  move(event) {
    const before = this.pressed.get(event.pointerId);
    if (before) {
      const [dx, dy] = [event.clientX - before.x, event.clientY - before.y];
      if (!this.moved && Math.hypot(dx, dy) < 5) return;
      this.moved = true;
      if (this.pressed.size === 2) this.pinch(event);
      this.pressed.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (this.pressed.size === 2) return;
      if (this.grip) {
        this.drag(event);
        if (shared.pointer) pointAt(null); // what lies under it is on its way
        return;
      }
      if (this.cover) cover(this.cover(this.pane.pointOf(event)), false);
      else if (view.zoom > 1) this.pan(dx, dy);
    }
    pointAt(this.pane.pointOf(event));
  }

  pan(dx, dy) {
    const size = this.pane.width * view.zoom;
    const { width, height } = this.pane.whole;
    lookAt(view.zoom, view.x - dx / size, view.y - (dy / size) * (width / height));
  }

  drag(event) {
    const { x, y } = this.pane.pointOf(event);
    this.dragged = [clamp(x + this.grip.x, 0, 1), clamp(y + this.grip.y, 0, 1), this.grip.number];
    moving.ask(this.dragged, false);
  }

  endDrag() {
    if (this.dragged) moving.ask(this.dragged, true);
    this.grip = this.dragged = null;
    if (this.cover && this.moved && covering.value) cover(covering.value, true);
    this.cover = null;
  }

  pinch(event) {
    const [other] = [...this.pressed].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    const before = this.pressed.get(event.pointerId);
    const distance = (place) => Math.hypot(place.x - other.x, place.y - other.y);
    const now = { x: event.clientX, y: event.clientY };
    zoomBy(distance(now) / Math.max(distance(before), 1));
  }

  release(event) {
    const wasDown = this.pressed.delete(event.pointerId);
    if (!wasDown) return;
    this.endDrag();
    if (!this.moved && shared.tool === "point") {
      const point = this.pane.pointOf(event);
      const number = this.objectAt(point);
      if (number >= 0 && !this.pane.data.objects[number].target) { // another thing to ask about
        page.tell("target", number);
        return;
      }
      pinAt(this.isPinnedNear(point) ? null : point);
      pointAt(point);
    }
  }

  isPinnedNear(point) {
    const pin = pinned();
    if (!pin) return false;
    const [x, y] = this.pane.place(pin);
    const [i, j] = this.pane.place(point);
    return Math.hypot(x - i, y - j) < 12;
  }

  cancel() {
    this.pressed.clear();
    this.endDrag();
    changed(POINTER);
  }

  leave(event) {
    if (event.pointerType !== "touch" && !this.pressed.size) pointAt(null);
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls the page
    event.preventDefault();
    this.zoomAt(event, Math.exp(-event.deltaY / 200));
  }

  // What is under the pointer stays there.
  zoomAt(event, factor) {
    const { x, y } = this.pane.pointOf(event);
    const { width, height } = this.pane.data.photograph;
    const { whole } = this.pane;
    zoomBy(factor, { x: (x * width - whole.x) / whole.width, y: (y * height - whole.y) / whole.height });
  }

  key(event) {
    if (event.target !== this.pane.stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = ARROW_STEPS[event.key];
    if (step && event.shiftKey && this.pane.data.objects.length && page.movable) this.push(...step);
    else if (step && !isPresenting()) this.step(...step);
    else if (event.key === "Enter") this.enter();
    else return;
    event.preventDefault();
  }

  push(dx, dy) {
    const { objects } = this.pane.data;
    const number = objects.findIndex(({ target }) => target);
    const [x, y] = moving.value?.[2] === number ? moving.value : objects[number].centre;
    moving.ask([clamp(x + PUSH * dx, 0, 1), clamp(y + PUSH * dy, 0, 1), number], true);
  }

  enter() {
    const point = pinned() ?? shared.pointer ?? { x: 0.5, y: 0.5 };
    if (shared.tool === "box") coverAround(point);
    else pinAt(pinned() ? null : point);
  }

  step(dx, dy) {
    const [left, top, right, bottom] = this.pane.data.box;
    const grid = this.pane.map ?? { rows: 16, columns: 16, start: 1 / 32, step: 1 / 16 };
    const from = pinned() ?? shared.pointer ?? { x: (left + right) / 2, y: (top + bottom) / 2 };
    const point = {
      x: cellBeside(from.x, left, right, grid.columns, grid, dx),
      y: cellBeside(from.y, top, bottom, grid.rows, grid, dy),
    };
    if (pinned()) pinAt(null);
    pointAt(point, true);
  }

  dragDivider(event) {
    event.stopPropagation();
    const { divider, stage } = this.pane;
    if (event.type === "pointerdown") divider.setPointerCapture(event.pointerId);
    if (!divider.hasPointerCapture(event.pointerId)) return;
    const frame = stage.getBoundingClientRect();
    const percent = (100 * (event.clientX - frame.left)) / frame.width;
    set("divider", Math.round(clamp(percent, 0, 100)));
  }
}

function keyOnDivider(event) {
  if (!(event.key in DIVIDER_STEPS)) return;
  event.preventDefault();
  event.stopPropagation();
  set("divider", clamp(settings.divider + DIVIDER_STEPS[event.key], 0, 100));
}
