// One picture on the page: the photograph, and over it a map where there is one.

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
    });
    this.stage = element("div", {
      class: "stage", tabindex: "0", role: "group", "aria-roledescription": "map",
    }, this.layers, svg, this.divider, this.stamp);
    this.low = element("span");
    this.high = element("span");
    this.bar = element("canvas", { width: "256", height: "1", role: "img" });
    this.scale = element("div", { class: "scale" }, this.low, this.bar, this.high);
    this.reading = element("output", { class: "reading", "aria-live": "off" });
    this.caption = element("figcaption");
    this.save = element("button", {
      type: "button", class: "quiet", onclick: () => saveFile(this),
    }, "Save picture");
    host.replaceChildren(element("figure", {},
      this.stage, this.scale, this.reading, this.caption, this.save));
    this.input = new PaneInput(this);
    this.width = 0; // of the stage, in pixels
    this.resizing = new ResizeObserver(([entry]) => {
      this.width = entry.contentRect.width;
      changed(VIEW | POINTER);
    });
    this.resizing.observe(this.stage);
  }

  update(data) {
    const before = this.data;
    this.data = data;
    const placed = ({ start, step }) => `${start} ${step}`;
    if (data.map && (data.map.values !== before?.map?.values || placed(data.map) !== placed(before.map))) {
      const values = floatsOf(data.map.values);
      const { rows, columns, start, step, kind, common } = data.map;
      const [lowest, highest] = extremes(values);
      this.map = { values, rows, columns, start, step, kind, common, lowest, highest };
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
    parts.add(this);
  }

  dispose() {
    this.resizing.disconnect();
    parts.delete(this);
    changed(COLOURS); // a shared scale may be another now
  }

  // The box that the model saw.
  get seen() {
    return areaOf(this.data.box, this.data.photograph);
  }

  // The part of the photograph that is shown at zoom 1.
  get whole() {
    const { width, height } = this.data.photograph;
    return settings.view === "crop" ? this.seen : { x: 0, y: 0, width, height };
  }

  // The part that is shown now.
  get visible() {
    return zoomedPart(this.whole, view);
  }

  // A point of the photograph in pixels of the stage: [x, y].
  place(point) {
    return toScreen(point, this.data.photograph, this.visible, this.width);
  }

  // The point of the photograph under a pointer.
  pointOf(event) {
    return fromScreen(event, this.data.photograph, this.visible, this.stage.getBoundingClientRect());
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
    const { values } = this.map;
    const enlarge = settings.cells === "smooth" ? enlargeSmoothly : enlargeCells;
    const positive = this.map.kind === "evidence" && !isSigned(this.map);
    const way = `${enlarge.name} ${positive}`;
    if (!this.enlarged || this.way !== way) {
      const evidence = positive ? values.map((value) => Math.max(value, 0)) : values;
      this.enlarged = enlarge(evidence, this.map, width, height);
      this.way = way;
      this.drawn = {};
    }
    const limits = rangeOf(this.map);
    const lut = lutOf(this.map);
    if (!lut) return; // the toolbar brings the colours
    if (String(limits) !== this.drawn.limits) {
      this.levels = levelsOf(this.enlarged, limits);
      this.low.textContent = numberText(limits[0]);
      this.high.textContent = numberText(limits[1]);
      this.bar.setAttribute("aria-label", `Colour bar from ${rangeText(limits)}`);
      this.drawn = { limits: String(limits) };
    }
    if (lut !== this.drawn.lut) {
      paint(this.heat, (rgba) => lookUp(this.levels, lut, rgba));
      paint(this.bar, (rgba) => rgba.set(lut));
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
        paint(this.lines, (rgba) => drawLines(this.levels, width, threshold, bands, rgba));
      }
    }
    Object.assign(this.drawn, { lut, lines });
    this.drawCaption();
  }

  drawCaption() {
    const lines = captionLines(this.data.caption, this.map);
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
    if (!this.map) this.drawCaption();
  }

  drawPointer() {
    const point = pinned() ?? shared.pointer;
    const { box, object, field } = this.data;
    const cell = point && this.map && cellAt(point, box, this.map);
    const place = (at) => this.place(at);
    const rectangle = (part) => rectanglePath(part, place);
    this.marks.cross.draw(point ? crossPath(point, place) : "");
    this.marks.cell.draw(cell ? rectangle(within(box, cellBox(cell, this.map))) : "");
    this.marks.field.draw(cell && field ? rectangle(within(box, receptiveField(cell, field))) : "");
    this.marks.outline.draw((object?.outline ?? []).map((corners) => polygonPath(corners, place)).join(""));
    const covered = shared.drawing ? drawnBox(shared.drawing) : this.data.covered;
    this.marks.box.draw(covered ? rectangle(covered) : "");
    this.stage.classList.toggle("drawing", shared.tool === "box");
    this.stage.classList.toggle("holding", Boolean(this.input.grip) || Boolean(point && this.input.hits(point)));
    const text = point ? readingText(point, cell, this.data, this.map) : POINTER_HINT;
    if (text !== this.reading.textContent) {
      const spoken = shared.announce && this.stage.getRootNode().activeElement === this.stage;
      this.reading.setAttribute("aria-live", spoken ? "polite" : "off");
      this.reading.textContent = text;
    }
  }
}

// What is said of a point, and of the map's cell there; no map or no cell is null.
function readingText(point, cell, { photograph, box, field }, map) {
  if (!map) {
    const [width, height] = photograph.original;
    const seen = isIn(point, box) ? "" : ", not seen by the model";
    return `Pixel ${Math.floor(point.x * width)}, ${Math.floor(point.y * height)}${seen}`;
  }
  if (!cell) return "Not seen by the model";
  const value = map.values[cell.row * map.columns + cell.column];
  const place = `row ${cell.row + 1}, column ${cell.column + 1}`;
  return `${numberText(value)} at ${place}: above ${percentile(map.values, value)} % of the map` +
    (field ? `; looks at ${fieldText(cell, field)}` : "");
}

function fieldText(cell, field) {
  const { resolution } = field;
  const [left, top, right, bottom] = receptiveField(cell, field);
  const [width, height] = [right - left, bottom - top].map((side) => Math.round(side * resolution));
  return width === resolution && height === resolution
    ? "the whole square" : `${width}×${height} px of ${resolution}×${resolution}`;
}

// The caption; its last line ends with the scale of the map where there is one.
function captionLines(caption, map) {
  if (!map) return caption;
  const signed = isSigned(map) ? ", signed" : "";
  return [...caption.slice(0, -1), `${caption.at(-1)}${signed}, ${scaleOf(map)} scale ${rangeText(rangeOf(map))}`];
}

// Lets `write` fill the colours of the canvas's pixels; their buffer is kept from frame to frame.
function paint(canvas, write) {
  const context = canvas.getContext("2d");
  if (canvas.image?.width !== canvas.width || canvas.image.height !== canvas.height) {
    canvas.image = context.createImageData(canvas.width, canvas.height);
  }
  write(new Uint32Array(canvas.image.data.buffer));
  context.putImageData(canvas.image, 0, 0);
}
