// One picture on the page: the photograph, and over it a map where there is one.

const HATCH = 6; // width of a stripe of the unseen part in pixels of the photograph, as in render.py
const POINTER_HINT = "Point at the picture to read its values.";

// A path around a rectangle, two lines of it: dark below, light above, to be seen on any colour.
class Mark {
  constructor(svg, name) {
    this.lines = ["dark", "light"].map((shade) => {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("class", `${name} ${shade}`);
      svg.append(path);
      return path;
    });
  }

  draw(path) {
    if (path === this.path) return;
    this.path = path;
    for (const line of this.lines) line.setAttribute("d", path);
  }
}

class Pane {
  constructor(host) {
    this.photograph = element("img", { class: "photograph", alt: "", draggable: "false" });
    this.unseen = element("div", { class: "unseen" });
    this.heat = element("canvas", { class: "heat" });
    this.lines = element("canvas", { class: "lines" });
    this.over = element("div", { class: "over" }, this.heat, this.lines);
    this.layers = element("div", { class: "layers" }, this.photograph, this.unseen, this.over);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "marks");
    svg.setAttribute("aria-hidden", "true");
    this.marks = Object.fromEntries(
      ["outline", "field", "cell", "box", "cross"].map((name) => [name, new Mark(svg, name)]));
    this.stamp = element("div", { class: "stamp" });
    this.divider = element("div", {
      class: "divider", role: "slider", tabindex: "0", "aria-label": "Divider",
      "aria-valuemin": "0", "aria-valuemax": "100",
      onpointerdown: (event) => this.dragDivider(event),
      onpointermove: (event) => this.dragDivider(event),
      onkeydown: (event) => this.keyOnDivider(event),
    });
    this.stage = element("div", {
      class: "stage", tabindex: "0", role: "group", "aria-roledescription": "map",
      onpointerdown: (event) => this.press(event),
      onpointermove: (event) => this.move(event),
      onpointerup: (event) => this.release(event),
      onpointercancel: () => this.cancel(),
      onpointerleave: (event) => this.leave(event),
      ondblclick: (event) => this.zoomAt(event, 2),
      onwheel: (event) => this.wheel(event),
      // A finger on the object moves it, elsewhere it scrolls the page.
      ontouchstart: (event) => {
        const [touch, ...more] = event.touches;
        if (!more.length && this.holds(this.pointOf(touch))) event.preventDefault();
      },
      onkeydown: (event) => this.key(event),
    }, this.layers, svg, this.divider, this.stamp);
    this.low = element("span");
    this.high = element("span");
    this.bar = element("canvas", { width: "256", height: "1", role: "img" });
    this.scale = element("div", { class: "scale" }, this.low, this.bar, this.high);
    this.reading = element("output", { class: "reading", "aria-live": "off" });
    this.caption = element("figcaption");
    this.save = element("button", {
      type: "button", class: "quiet", onclick: () => this.saveFile(),
    }, "Save picture");
    host.replaceChildren(element("figure", {},
      this.stage, this.scale, this.reading, this.caption, this.save));
    this.width = 0;
    this.pressed = new Map(); // pointers that are down: id to the last place
    this.resizing = new ResizeObserver(([entry]) => {
      this.width = entry.contentRect.width;
      changed(VIEW | POINTER);
    });
    this.resizing.observe(this.stage);
  }

  update(data) {
    const before = this.data;
    this.data = data;
    if (data.map && data.map.values !== before?.map?.values) {
      const values = floatsOf(data.map.values);
      const { rows, columns, kind, common } = data.map;
      const [lowest, highest] = extremes(values);
      this.map = { values, rows, columns, kind, common, lowest, highest };
      this.enlarged = null;
    }
    if (!data.map) this.map = null;
    if (data.photograph.id !== before?.photograph.id || String(data.box) !== String(before?.box)) {
      this.enlarged = null;
    }
    this.stage.setAttribute("aria-label", data.description);
    this.stamp.textContent = data.stamp;
    this.stamp.hidden = !data.stamp;
    this.scale.hidden = !this.map;
    this.over.hidden = !this.map;
    this.save.hidden = !data.file;
    changed(EVERYTHING);
    arrived();
  }

  dispose() {
    this.resizing.disconnect();
    parts.delete(this);
    changed(COLOURS); // a shared scale may be another now
  }

  // The box that the model saw, in whole pixels of the shown photograph, as render.py rounds it.
  get seen() {
    const { width, height } = this.data.photograph;
    const [left, top, right, bottom] = this.data.box;
    const x = Math.min(Math.round(left * width), width - 1);
    const y = Math.min(Math.round(top * height), height - 1);
    return {
      x, y,
      width: Math.min(Math.max(Math.round(right * width), x + 1), width) - x,
      height: Math.min(Math.max(Math.round(bottom * height), y + 1), height) - y,
    };
  }

  // The part of the photograph that is shown at zoom 1, in its pixels.
  get whole() {
    const { width, height } = this.data.photograph;
    return settings.view === "crop" ? this.seen : { x: 0, y: 0, width, height };
  }

  // The part that is shown now.
  get visible() {
    const whole = this.whole;
    const width = whole.width / view.zoom;
    const height = whole.height / view.zoom;
    return {
      x: whole.x + view.x * whole.width - width / 2,
      y: whole.y + view.y * whole.height - height / 2,
      width, height,
    };
  }

  draw(changes) {
    if (!this.data) return;
    if (changes & PHOTOGRAPH) this.drawPhotograph();
    if (this.map && changes & (PHOTOGRAPH | COLOURS)) this.drawMap();
    if (changes & (PHOTOGRAPH | VIEW)) this.drawView();
    if (changes & (PHOTOGRAPH | VIEW | POINTER | COLOURS)) this.drawPointer();
  }

  drawPhotograph() {
    const { id, width, height } = this.data.photograph;
    const url = photographs.get(id)?.url;
    if (url && this.photograph.src !== url) this.photograph.src = url;
    this.photograph.hidden = !url;
    Object.assign(this.layers.style, { width: `${width}px`, height: `${height}px` });
    const { x, y, width: w, height: h } = this.seen;
    this.unseen.hidden = w === width && h === height;
    const [right, bottom] = [x + w, y + h];
    this.unseen.style.clipPath =
      `polygon(evenodd, 0 0, ${width}px 0, ${width}px ${height}px, 0 ${height}px, 0 0,` +
      `${x}px ${y}px, ${right}px ${y}px, ${right}px ${bottom}px, ${x}px ${bottom}px, ${x}px ${y}px)`;
    for (const canvas of [this.heat, this.lines]) {
      if (canvas.width !== w) canvas.width = w;
      if (canvas.height !== h) canvas.height = h;
      Object.assign(canvas.style, { left: `${x}px`, top: `${y}px` });
    }
  }

  drawMap() {
    const { width, height } = this.seen;
    const { values, rows, columns } = this.map;
    const enlarge = settings.cells === "smooth" ? enlargeSmoothly : enlargeCells;
    const positive = this.map.kind === "evidence" && !isSigned(this.map);
    const way = `${enlarge.name} ${positive}`;
    if (!this.enlarged || this.way !== way) {
      const evidence = positive ? values.map((value) => Math.max(value, 0)) : values;
      this.enlarged = enlarge(evidence, rows, columns, width, height);
      this.way = way;
      this.drawn = {};
    }
    const limits = rangeOf(this.map);
    const table = tableOf(this.map);
    if (!table) return; // the toolbar brings the colours
    if (String(limits) !== this.drawn.limits) {
      this.levels = levelsOf(this.enlarged, limits);
      this.low.textContent = numberText(limits[0]);
      this.high.textContent = numberText(limits[1]);
      this.bar.setAttribute("aria-label", `Colour bar from ${rangeText(limits)}`);
      this.drawn = { limits: String(limits) };
    }
    if (table !== this.drawn.table) {
      paint(this.heat, (words) => lookUp(this.levels, table, words));
      paint(this.bar, (words) => words.set(table));
    }
    const [low, high] = limits;
    const zero = isSigned(this.map) ? 0 : low; // evidence against the class is below every threshold
    const level = (percent) => (255 * (zero + ((high - zero) * percent) / 100 - low)) / (high - low);
    const threshold = settings.threshold > 0 ? level(settings.threshold) : 0;
    const bands = settings.contours === "on" ? [25, 50, 75].map(level) : [];
    const lines = `${threshold} ${bands}`;
    if (lines !== this.drawn.lines) {
      this.lines.hidden = !threshold && !bands.length;
      if (!this.lines.hidden) {
        paint(this.lines, (words) => drawLines(this.levels, width, threshold, bands, words));
      }
    }
    Object.assign(this.drawn, { table, lines });
    this.drawCaption(limits);
  }

  captionLines(limits) {
    if (!this.map) return this.data.caption;
    const evidence = isSigned(this.map) ? ", signed" : "";
    return this.data.caption.map((line, i, { length }) =>
      i === length - 1 ? `${line}${evidence}, ${scaleOf(this.map)} scale ${rangeText(limits)}` : line);
  }

  drawCaption(limits) {
    const lines = this.captionLines(limits);
    if (String(lines) === this.caption.dataset.lines) return;
    this.caption.dataset.lines = String(lines);
    this.caption.replaceChildren(...lines.map((line) => element("div", {}, line)));
  }

  drawView() {
    const whole = this.whole;
    this.stage.style.setProperty("--aspect", whole.width / whole.height);
    const visible = this.visible;
    const scale = this.width / visible.width;
    this.layers.style.transform =
      `translate(${-visible.x * scale}px, ${-visible.y * scale}px) scale(${scale})`;
    this.stage.classList.toggle("zoomed", view.zoom > 1);
    this.heat.style.opacity = settings.opacity / 100;
    this.over.style.visibility = shared.holding ? "hidden" : "";
    const divided = settings.divider !== null && Boolean(this.map);
    this.divider.hidden = !divided;
    this.over.style.clipPath = divided
      ? `inset(0 0 0 ${visible.x + (visible.width * settings.divider) / 100}px)` : "";
    if (divided) {
      this.divider.style.left = `${settings.divider}%`;
      this.divider.setAttribute("aria-valuenow", Math.round(settings.divider));
    }
    if (!this.map) this.drawCaption(null);
  }

  // The cell of the map at a point of the photograph; null where the model saw nothing.
  cellAt({ x, y }) {
    const [left, top, right, bottom] = this.data.box;
    const [u, v] = [(x - left) / (right - left), (y - top) / (bottom - top)];
    if (u < 0 || v < 0 || u > 1 || v > 1) return null;
    const { rows, columns } = this.map;
    return {
      row: Math.min(Math.floor(v * rows), rows - 1), column: Math.min(Math.floor(u * columns), columns - 1),
    };
  }

  drawPointer() {
    const point = pinned() ?? shared.pointer;
    const cell = point && this.map && this.cellAt(point);
    this.marks.cross.draw(point ? this.cross(point) : "");
    this.marks.cell.draw(cell ? this.rectangle(this.cellBox(cell)) : "");
    this.marks.field.draw(cell && this.data.field ? this.rectangle(this.fieldBox(cell)) : "");
    this.marks.outline.draw((this.data.object?.outline ?? []).map((corners) => this.polygon(corners)).join(""));
    const covered = shared.drawing ? drawnBox(shared.drawing) : this.data.covered;
    this.marks.box.draw(covered ? this.rectangle(covered) : "");
    this.stage.classList.toggle("drawing", shared.tool === "box");
    this.stage.classList.toggle("holding", Boolean(this.grip) || Boolean(point && this.holds(point)));
    const text = point ? this.readingText(point, cell) : POINTER_HINT;
    if (text !== this.reading.textContent) {
      const spoken = shared.announce && this.getRoot().activeElement === this.stage;
      this.reading.setAttribute("aria-live", spoken ? "polite" : "off");
      this.reading.textContent = text;
    }
  }

  getRoot() {
    return this.stage.getRootNode();
  }

  readingText(point, cell) {
    const { original } = this.data.photograph;
    if (!this.map) {
      const [x, y] = [point.x * original[0], point.y * original[1]].map(Math.floor);
      const seen = this.cellOfBox(point) ? "" : ", not seen by the model";
      return `Pixel ${x}, ${y}${seen}`;
    }
    if (!cell) return "Not seen by the model";
    const { values, columns } = this.map;
    const value = values[cell.row * columns + cell.column];
    const place = `row ${cell.row + 1}, column ${cell.column + 1}`;
    return `${numberText(value)} at ${place}: above ${percentile(values, value)} % of the map` +
      (this.data.field ? `; looks at ${this.fieldText(cell)}` : "");
  }

  cellOfBox({ x, y }) {
    const [left, top, right, bottom] = this.data.box;
    return x >= left && x <= right && y >= top && y <= bottom;
  }

  fieldText(cell) {
    const { resolution } = this.data.field;
    const [left, top, right, bottom] = this.fieldIn(cell);
    const [width, height] = [right - left, bottom - top].map((side) => Math.round(side * resolution));
    return width === resolution && height === resolution
      ? "the whole square" : `${width}×${height} px of ${resolution}×${resolution}`;
  }

  // Rectangles are left, top, right, bottom in fractions of the photograph.
  cellBox({ row, column }) {
    const { rows, columns } = this.map;
    return this.inBox(column / columns, row / rows, (column + 1) / columns, (row + 1) / rows);
  }

  fieldBox(cell) {
    return this.inBox(...this.fieldIn(cell));
  }

  // What the cell can see through the convolutions: its receptive field in fractions of the model's
  // input, cut at the borders.
  fieldIn({ row, column }) {
    const { side, jump, start, resolution } = this.data.field;
    const edges = (place) => [-0.5, 0.5].map((half) =>
      Math.min(Math.max((start + place * jump + half * side) / resolution, 0), 1));
    const [left, right] = edges(column);
    const [top, bottom] = edges(row);
    return [left, top, right, bottom];
  }

  inBox(left, top, right, bottom) {
    const [x0, y0, x1, y1] = this.data.box;
    const [w, h] = [x1 - x0, y1 - y0];
    return [x0 + left * w, y0 + top * h, x0 + right * w, y0 + bottom * h];
  }

  // Fractions of the photograph to pixels of the stage.
  place(x, y) {
    const { width, height } = this.data.photograph;
    const visible = this.visible;
    const scale = this.width / visible.width;
    return [(x * width - visible.x) * scale, (y * height - visible.y) * scale];
  }

  rectangle([left, top, right, bottom]) {
    const [x0, y0] = this.place(left, top).map(Math.round);
    const [x1, y1] = this.place(right, bottom).map(Math.round);
    return `M${x0} ${y0}H${x1}V${y1}H${x0}Z`;
  }

  polygon(corners) {
    return `M${corners.map(([x, y]) => this.place(x, y).map((value) => value.toFixed(1)).join(" ")).join("L")}Z`;
  }

  // Whether a point of the photograph lies on the object that can be moved.
  holds({ x, y }) {
    const { object } = this.data;
    if (!object || !isMovable() || shared.tool !== "point") return false;
    const [left, top] = object.centre;
    // What is hidden altogether can still be fetched where it is.
    return Math.hypot(x - left, y - top) < 0.05 || object.outline.some((corners) => encloses(corners, x, y));
  }

  cross({ x, y }) {
    const [i, j] = this.place(x, y).map(Math.round);
    return `M${i - 9} ${j}h6m6 0h6M${i} ${j - 9}v6m0 6v6`;
  }

  pointOf(event) {
    const frame = this.stage.getBoundingClientRect();
    const visible = this.visible;
    const { width, height } = this.data.photograph;
    const inside = (value) => Math.min(Math.max(value, 0), 1);
    return {
      x: inside((visible.x + ((event.clientX - frame.left) / frame.width) * visible.width) / width),
      y: inside((visible.y + ((event.clientY - frame.top) / frame.height) * visible.height) / height),
    };
  }

  // Pointers: one points, pins, pans or draws a box; two zoom.

  press(event) {
    if (event.button !== 0) return;
    this.pressed.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.moved = false;
    if (shared.tool === "box") {
      const from = this.pointOf(event);
      shared.drawing = { from, to: from };
    }
    const point = this.pointOf(event);
    this.letGo(); // a second finger zooms
    this.grip = this.pressed.size === 1 && this.holds(point)
      ? { x: this.data.object.centre[0] - point.x, y: this.data.object.centre[1] - point.y } : null;
    if (event.pointerType !== "touch" || shared.tool === "box" || view.zoom > 1 || this.grip) {
      this.stage.setPointerCapture(event.pointerId);
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
      if (this.grip) this.drag(event);
      else if (shared.drawing) shared.drawing = { from: shared.drawing.from, to: this.pointOf(event) };
      else if (view.zoom > 1) {
        const size = this.width * view.zoom;
        const aspect = this.whole.width / this.whole.height;
        lookAt(view.zoom, view.x - dx / size, view.y - (dy / size) * aspect);
      }
    }
    pointAt(this.pointOf(event));
  }

  drag(event) {
    const { x, y } = this.pointOf(event);
    this.dragged = [x + this.grip.x, y + this.grip.y];
    moveTo(...this.dragged, false);
  }

  letGo() {
    if (this.dragged) moveTo(...this.dragged, true);
    this.grip = this.dragged = null;
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
    this.letGo();
    if (shared.drawing) finishBox();
    else if (!this.moved && shared.tool === "point") {
      const point = this.pointOf(event);
      pinAt(this.isPinnedNear(point) ? null : point);
      pointAt(point);
    }
  }

  isPinnedNear(point) {
    const pin = pinned();
    if (!pin) return false;
    const [x, y] = this.place(pin.x, pin.y);
    const [i, j] = this.place(point.x, point.y);
    return Math.hypot(x - i, y - j) < 12;
  }

  cancel() {
    this.pressed.clear();
    this.letGo();
    shared.drawing = null;
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
    const { x, y } = this.pointOf(event);
    const { width, height } = this.data.photograph;
    const whole = this.whole;
    zoomBy(factor, { x: (x * width - whole.x) / whole.width, y: (y * height - whole.y) / whole.height });
  }

  // Keys: arrows move from cell to cell, Enter pins.
  key(event) {
    if (event.target !== this.stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in steps && event.shiftKey && this.data.object && isMovable()) this.push(...steps[event.key]);
    else if (event.key in steps && !isPresenting()) this.step(...steps[event.key]);
    else if (event.key === "Enter") this.enter();
    else return;
    event.preventDefault();
  }

  push(dx, dy) {
    const [x, y] = moving.centre ?? this.data.object.centre;
    moveTo(x + 0.05 * dx, y + 0.05 * dy, true);
  }

  step(dx, dy) {
    const [left, top, right, bottom] = this.data.box;
    const { rows, columns } = this.map ?? { rows: 16, columns: 16 };
    const from = pinned() ?? shared.pointer ?? { x: (left + right) / 2, y: (top + bottom) / 2 };
    const along = (value, low, high, cells, by) => {
      const cell = Math.floor(((value - low) / (high - low)) * cells) + by;
      return low + ((Math.min(Math.max(cell, 0), cells - 1) + 0.5) / cells) * (high - low);
    };
    const point = {
      x: along(from.x, left, right, columns, dx), y: along(from.y, top, bottom, rows, dy),
    };
    if (pinned()) pinAt(null);
    if (shared.drawing) shared.drawing = { from: shared.drawing.from, to: point };
    pointAt(point, true);
  }

  enter() {
    const point = pinned() ?? shared.pointer;
    if (!point) return;
    if (shared.tool === "point") pinAt(pinned() ? null : point);
    else if (shared.drawing) finishBox();
    else shared.drawing = { from: point, to: point };
    changed(POINTER);
  }

  dragDivider(event) {
    event.stopPropagation();
    if (event.type === "pointerdown") this.divider.setPointerCapture(event.pointerId);
    if (!this.divider.hasPointerCapture(event.pointerId)) return;
    const frame = this.stage.getBoundingClientRect();
    const percent = (100 * (event.clientX - frame.left)) / frame.width;
    set("divider", Math.round(Math.min(Math.max(percent, 0), 100)));
  }

  keyOnDivider(event) {
    const steps = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, Home: -100, End: 100 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    event.stopPropagation();
    set("divider", Math.min(Math.max(settings.divider + steps[event.key], 0), 100));
  }

  // The picture as it is shown at zoom 1, in the photograph's pixels.
  picture() {
    const whole = this.whole;
    const canvas = element("canvas", { width: whole.width, height: whole.height });
    const context = canvas.getContext("2d");
    context.translate(-whole.x, -whole.y);
    context.drawImage(this.photograph, 0, 0, this.data.photograph.width, this.data.photograph.height);
    const { x, y, width, height } = this.seen;
    context.save();
    context.beginPath();
    context.rect(0, 0, this.data.photograph.width, this.data.photograph.height);
    context.rect(x, y, width, height);
    context.clip("evenodd");
    context.fillStyle = context.createPattern(hatch(), "repeat");
    context.fillRect(0, 0, this.data.photograph.width, this.data.photograph.height);
    context.restore();
    if (!this.map) return canvas;
    context.save();
    if (settings.divider !== null) {
      context.beginPath();
      context.rect(whole.x + (whole.width * settings.divider) / 100, 0, whole.width, 1e5);
      context.clip();
    }
    context.globalAlpha = settings.opacity / 100;
    context.drawImage(this.heat, x, y);
    context.globalAlpha = 1;
    if (!this.lines.hidden) context.drawImage(this.lines, x, y);
    context.restore();
    return canvas;
  }

  // The same over a white strip with the colour bar and the caption, as a PNG file.
  async saveFile() {
    const picture = this.picture();
    const sheet = captioned(picture, this.map && this.bar, [this.low.textContent, this.high.textContent],
      this.captionLines(this.map && rangeOf(this.map)), this.data.stamp);
    const blob = await new Promise((resolve) => { sheet.toBlob(resolve, "image/png"); });
    const link = element("a", { href: URL.createObjectURL(blob), download: this.data.file });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }
}

// Lets `write` fill the words of the canvas's pixels; their buffer is kept from frame to frame.
function paint(canvas, write) {
  const context = canvas.getContext("2d");
  if (canvas.image?.width !== canvas.width || canvas.image.height !== canvas.height) {
    canvas.image = context.createImageData(canvas.width, canvas.height);
  }
  write(new Uint32Array(canvas.image.data.buffer));
  context.putImageData(canvas.image, 0, 0);
}

// The stripes of render.hide_unseen: three quarters of two greys.
function hatch() {
  const canvas = element("canvas", { width: 2 * HATCH, height: 2 * HATCH });
  const context = canvas.getContext("2d");
  for (let y = 0; y < 2 * HATCH; y += 1) {
    for (let x = 0; x < 2 * HATCH; x += 1) {
      context.fillStyle = Math.floor((x + y) / HATCH) % 2 ? "rgb(97 97 97 / 75%)" : "rgb(140 140 140 / 75%)";
      context.fillRect(x, y, 1, 1);
    }
  }
  return canvas;
}

function captioned(picture, bar, ends, lines, stamp) {
  const width = Math.max(picture.width, 640);
  const height = Math.round((picture.height * width) / picture.width);
  const size = Math.round(width / 46);
  const step = Math.round(size * 1.6);
  const sheet = element("canvas", { width });
  const context = sheet.getContext("2d");
  context.font = `${size}px sans-serif`;
  const wrapped = lines.flatMap((line) => wrap(context, line, width - 2 * size));
  sheet.height = height + step * (wrapped.length + (bar ? 2 : 1));
  context.fillStyle = "white";
  context.fillRect(0, 0, width, sheet.height);
  context.drawImage(picture, 0, 0, width, height);
  Object.assign(context, { font: `${size}px sans-serif`, fillStyle: "black", textBaseline: "middle" });
  let y = height + step;
  if (bar) {
    context.drawImage(bar, width / 4, y - size / 2, width / 2, size);
    context.textAlign = "right";
    context.fillText(ends[0], width / 4 - size, y);
    context.textAlign = "left";
    context.fillText(ends[1], (width * 3) / 4 + size, y);
    y += step;
  }
  for (const line of wrapped) {
    context.fillText(line, size, y);
    y += step;
  }
  if (stamp) {
    context.fillStyle = "#8a1c1c";
    context.fillRect(0, height - 2 * step, width, 2 * step);
    Object.assign(context, { fillStyle: "white", textAlign: "center", font: `bold ${1.6 * size}px sans-serif` });
    context.fillText(stamp, width / 2, height - step);
  }
  return sheet;
}

function wrap(context, text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

// Whether a polygon encloses a point: a line from it to the right crosses an odd number of sides.
function encloses(corners, x, y) {
  let inside = false;
  corners.forEach(([x1, y1], i) => {
    const [x0, y0] = corners.at(i - 1);
    if ((y0 > y) !== (y1 > y) && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) inside = !inside;
  });
  return inside;
}

// The corners of a drawn rectangle as left, top, right, bottom.
function drawnBox({ from, to }) {
  return [Math.min(from.x, to.x), Math.min(from.y, to.y), Math.max(from.x, to.x), Math.max(from.y, to.y)];
}

function finishBox() {
  const box = drawnBox(shared.drawing);
  shared.drawing = null;
  shared.tool = "point";
  if (box[2] - box[0] > 0.01 && box[3] - box[1] > 0.01) {
    askToCover(box);
  }
  changed(EVERYTHING);
}
