// One picture: the photograph, and over it a map where there is one; under it, what it is.

// A path around something, two lines of it: dark below, light above, to be seen on any colour.
class Mark {
  constructor(svg, name) {
    this.lines = ["dark", "light"].map((shade) => {
      const path = svgElement("path", { class: `${name} ${shade}` });
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
    this.changed = element("img", { class: "changed", alt: "", draggable: "false" });
    this.heat = element("canvas", { class: "heat" });
    this.lines = element("canvas", { class: "lines" });
    this.over = element("div", { class: "over" }, this.heat, this.lines);
    this.layers = element("div", { class: "layers" }, this.photograph, this.unseen, this.changed, this.over);
    const svg = svgElement("svg", { class: "marks", "aria-hidden": "true" });
    this.marks = Object.fromEntries(
      ["other", "outline", "field", "cell", "cross"].map((name) => [name, new Mark(svg, name)]));
    this.stamp = element("div", { class: "stamp" });
    this.tag = element("div", { class: "tag", "aria-hidden": "true" });
    this.divider = element("div", {
      class: "divider", role: "slider", tabindex: "0", "aria-label": WORDS.divider,
      "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "50",
    });
    this.box = element("div", {
      class: "box", role: "group", tabindex: "0", "aria-label": WORDS.covered_part, onkeydown: keyOnBox,
    }, ...[1, 2, 3, 4].map(() => element("i")));
    this.live = element("output", { class: "live" });
    this.stage = element("div", {
      class: "stage", tabindex: "0", role: "group", "aria-roledescription": "map", "aria-busy": "true",
    }, this.layers, svg, this.divider, this.box, this.live, this.stamp, this.tag);
    this.under = new Under(this);
    this.root = element("figure", {}, this.stage, ...this.under.lines);
    const late = [this.divider, this.box, this.live, this.stamp, this.changed, this.over];
    for (const part of [...late, ...this.under.late]) part.hidden = true;
    host.replaceChildren(this.root);
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
    this.own = mapOf(data.map, before?.map, this.own);
    this.before = mapOf(data.before, before?.before, this.before);
    if (data.photograph.id !== before?.photograph.id || String(data.box) !== String(before?.box)) {
      this.enlarged = null;
    }
    this.stage.setAttribute("aria-label", data.description);
    this.stage.removeAttribute("aria-busy");
    this.stamp.textContent = data.stamp;
    this.stamp.hidden = !data.stamp;
    this.tag.textContent = [data.lead, data.tag].filter(Boolean).join(", ");
    if (data.picture && this.changed.src !== data.picture) this.changed.src = data.picture;
    this.under.update(data);
    changed(EVERYTHING);
    parts.add(this);
    if (data.answered) covering.arrived(data.answered);
  }

  dispose() {
    this.resizing.disconnect();
    parts.delete(this);
    changed(COLOURS); // a shared scale may be another now
  }

  // The map that is shown: while a key is held, the one before a part was covered.
  get map() {
    return (shared.before && this.before) || this.own;
  }

  // The box that the model saw.
  get seen() {
    return areaOf(this.data.box, this.data.photograph);
  }

  // Whether the photograph has more than the model saw.
  get isCropped() {
    const [left, top, right, bottom] = this.data.box;
    return left > 0 || top > 0 || right < 1 || bottom < 1;
  }

  // The part of the photograph that is shown at zoom 1.
  get whole() {
    const { width, height } = this.data.photograph;
    if (settings.view !== "crop") return { x: 0, y: 0, width, height };
    const { seen } = this;
    const side = Math.min(seen.width, seen.height);
    // A square in whole pixels may miss one.
    return Math.max(seen.width, seen.height) - side > 2 ? seen : { ...seen, width: side, height: side };
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
    if (changes & (PHOTOGRAPH | VIEW | POINTER | COLOURS)) {
      this.drawPointer();
      this.drawBox();
    }
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
    Object.assign(this.changed.style, { left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` });
    this.changed.hidden = !this.data.picture;
    this.over.hidden = !this.map;
  }

  drawMap() {
    const { map } = this;
    const { width, height } = this.seen;
    const enlarge = settings.cells === "smooth" ? enlargeSmoothly : enlargeCells;
    const positive = map.kind === "evidence" && !isSigned(map);
    const way = `${enlarge.name} ${positive}`;
    if (!this.enlarged || this.way !== way || this.shown !== map) {
      const values = positive ? map.values.map((value) => Math.max(value, 0)) : map.values;
      this.enlarged = enlarge(values, map, width, height);
      Object.assign(this, { way, shown: map, drawn: {} });
    }
    const limits = rangeOf(map);
    const lut = lutOf(map);
    if (!lut) return; // the deck brings the colours
    if (String(limits) !== this.drawn.limits) {
      this.levels = levelsOf(this.enlarged, limits);
      this.drawn = { limits: String(limits) };
    }
    if (lut !== this.drawn.lut) paint(this.heat, (rgba) => lookUp(this.levels, lut, rgba));
    const [low, high] = limits;
    const zero = isSigned(map) ? 0 : low; // evidence against the class is below every threshold
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
    this.under.drawScale(limits, lut);
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
  }

  drawPointer() {
    const point = pinned() ?? shared.pointer;
    const { box, objects, field } = this.data;
    const cell = point && this.map && cellAt(point, box, this.map);
    const rectangle = (part) => rectanglePath(part, (at) => this.place(at));
    this.marks.cross.draw(point ? crossPath(point, (at) => this.place(at)) : "");
    this.marks.cell.draw(cell ? rectangle(within(box, cellBox(cell, this.map))) : "");
    this.marks.field.draw(cell && field ? rectangle(within(box, receptiveField(cell, field))) : "");
    const outlines = (wanted) => objects.filter(({ target }) => target === wanted)
      .flatMap(({ outline }) => outline).map((corners) => polygonPath(corners, (at) => this.place(at))).join("");
    this.marks.outline.draw(outlines(true));
    this.marks.other.draw(outlines(false));
    this.stage.classList.toggle("drawing", shared.tool === "box");
    this.stage.classList.toggle("holding", Boolean(this.input.grip) || Boolean(point && this.input.objectAt(point) >= 0));
    this.under.drawReading(point, cell);
  }

  // The covered part, where the deck shows the photograph.
  drawBox() {
    const box = this.data.boxed ? coveredBox() : null;
    this.box.hidden = !box;
    this.live.hidden = !box || !this.data.live;
    if (!box) return;
    const [left, top] = this.place({ x: box[0], y: box[1] });
    const [right, bottom] = this.place({ x: box[2], y: box[3] });
    Object.assign(this.box.style, {
      left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px`,
    });
    if (this.live.hidden) return;
    const { text, change } = this.data.live;
    this.live.replaceChildren(text, " ", element("b", {}, change));
    const high = this.live.offsetHeight;
    const above = top - high - 8;
    const below = bottom + high + 8 > this.width ? clamp(top + 8, 0, this.width - high) : bottom + 8;
    Object.assign(this.live.style, {
      left: `${clamp(left, 0, Math.max(0, this.width - this.live.offsetWidth))}px`,
      top: `${above >= 0 ? above : below}px`,
    });
  }
}

// A map as the server sends it; the one there is already, if nothing has changed.
function mapOf(sent, before, own) {
  if (!sent) return null;
  const placed = ({ start, step, place, levels }) => `${start} ${step} ${place} ${levels}`;
  if (own && sent.values === before?.values && placed(sent) === placed(before)) return own;
  const values = valuesOf(sent);
  const [lowest, highest] = extremes(values);
  return { ...sent, values, lowest, highest };
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

const MUCH_DARKER = 0.35; // of the upper end of the scale: a map whose largest value is below it looks dark

// What stands under a picture: method, class, scale; what a network answered; what one points at.
class Under {
  constructor(pane) {
    this.pane = pane;
    this.lead = element("b");
    this.text = element("span", { class: "grow" });
    this.share = element("b", { class: "share" });
    this.side = element("span", { class: "side" });
    this.low = element("span");
    this.high = element("span");
    this.bar = element("canvas", { width: "256", height: "1", role: "img" });
    this.scale = element("span", { class: "scale" }, this.low, this.bar, this.high);
    this.save = button("", () => saveFile(pane), { look: "plain icon save" }, icon("save"));
    this.why = button(WORDS.why, null, { look: "plain why" });
    this.reason = element("p", { class: "small" });
    this.because = new Popup(this.why, WORDS.why, this.reason);
    this.care = button("", null, { look: "plain icon care", label: WORDS.care, title: WORDS.care }, icon("weak"));
    this.cautions = element("div", { class: "small cautions" });
    this.careful = new Popup(this.care, WORDS.care, this.cautions);
    this.caption = element("figcaption", { class: "under" }, this.lead, this.text, this.share, this.why, this.side, this.care, this.scale, this.save);
    this.said = element("p", { class: "said" });
    this.meter = element("div", { class: "meter" }, element("i"), element("u"));
    this.shares = element("p", { class: "shares" });
    this.more = element("p", { class: "more quiet" });
    this.reading = element("output", { class: "reading", "aria-live": "off" });
    this.lines = [this.said, this.meter, this.shares, this.more, this.caption, this.reading, this.because.panel, this.careful.panel];
  }

  // What most pictures do not have.
  get late() {
    return [this.said, this.meter, this.shares, this.more, this.share, this.why, this.care, this.save, this.scale];
  }

  update(data) {
    this.lead.textContent = data.lead;
    this.lead.hidden = !data.lead;
    this.share.textContent = data.share ?? "";
    this.share.hidden = !data.share;
    this.side.textContent = this.side.title = data.side ?? "";
    this.side.hidden = !data.side;
    const care = data.care ?? [];
    this.care.hidden = !care.length;
    this.cautions.replaceChildren(...care.flatMap(([title, text]) => [element("b", {}, title), element("p", {}, text)]));
    this.caption.classList.toggle("answered", Boolean(data.share));
    this.why.hidden = !data.why;
    this.reason.textContent = data.why;
    this.save.hidden = !data.file;
    this.save.setAttribute("aria-label", `${WORDS.save} ${data.lead || data.file}`);
    this.save.title = WORDS.save_picture;
    this.keepRoom(Boolean(data.answer), Boolean(data.answer?.more));
    if (!data.answer) return;
    this.pane.root.setAttribute("aria-label", data.lead);
    this.answer(data.answer);
  }

  // What stands here takes its room before it is known. Over a network's answer, a picture is saved
  // by a button on it.
  keepRoom(answered, more) {
    this.caption.hidden = this.reading.hidden = answered;
    for (const line of [this.said, this.meter, this.shares]) line.hidden = !answered;
    this.more.hidden = !more;
    const home = answered ? this.pane.root : this.caption;
    if (this.save.parentElement !== home) home.append(this.save);
  }

  // What a network said of a scene whose object is known.
  answer({ label, share, right, evidence, possible, colour, words, more }) {
    const mark = right === null ? "" : element("span", { class: right ? "mark" : "mark no", role: "img", "aria-label": right ? WORDS.right : WORDS.wrong },
      icon(right ? "right" : "wrong"));
    this.said.replaceChildren(mark, element("span", { class: "name" }, label), element("span", {}, share));
    this.meter.style.cssText = `--p: ${evidence}; --of: ${possible}; --net: var(--net-${colour})`;
    const [long, short, limit] = words;
    this.shares.replaceChildren(
      element("span", {}, element("span", { class: "opt" }, long), element("span", { class: "short" }, short)),
      element("span", { class: "quiet" }, limit));
    this.more.textContent = this.more.title = more;
  }

  drawScale(limits, lut) {
    [this.low.textContent, this.high.textContent] = this.pane.data.ends ?? limits.map(numberText);
    this.bar.setAttribute("aria-label", `${WORDS.colour_bar} ${rangeText(limits)}`);
    if (lut !== this.lut) paint(this.bar, (rgba) => rgba.set(lut));
    this.lut = lut;
  }

  drawReading(point, cell) {
    const { data, map, stage } = this.pane;
    this.scale.hidden = !map || !data.scale;
    const said = point ? readingText(point, cell, data, map) : "";
    const dark = this.darkText(data, map);
    const usual = (!data.share && dark) || data.text || "";
    const spoken = shared.announce && stage.getRootNode().activeElement === stage;
    const lined = data.hint || data.share; // what one points at has a line of its own
    const place = lined ? this.reading : this.text;
    if (lined) this.text.textContent = usual;
    if (said) known.add("pointing");
    const hint = data.hint && known.has("pointing") && !data.boxed && !data.before ? "" : data.hint;
    const text = said || (data.share ? dark : data.hint ? hint : usual);
    this.reading.hidden = !lined;
    if (place.textContent === text) return;
    place.setAttribute("aria-live", spoken ? "polite" : "off");
    place.textContent = text;
    place.title = text;
  }

  // A map can be dark because there is no evidence, or because it is as bright as others let it be.
  darkText(data, map) {
    if (!map || map.kind !== "evidence") return "";
    if (map.highest <= 0 && !isSigned(map)) return WORDS.nothing_for;
    if (scaleOf(map) === "own") return "";
    const [, high] = rangeOf(map);
    const strongest = isSigned(map) ? Math.max(map.highest, -map.lowest) : map.highest;
    if (strongest >= MUCH_DARKER * high) return "";
    return WORDS.dark.replace("{strongest}", numberText(Math.max(strongest, 0))).replace("{high}", numberText(high));
  }
}

// What is said of a point, and of the map's cell there; no map or no cell is null.
function readingText(point, cell, { photograph, box, field }, map) {
  if (!map) {
    const [width, height] = photograph.original;
    const seen = isIn(point, box) ? "" : `, ${WORDS.not_seen}`;
    return `Pixel ${Math.floor(point.x * width)}, ${Math.floor(point.y * height)}${seen}`;
  }
  if (!cell) return WORDS.not_seen;
  const value = map.values[cell.row * map.columns + cell.column];
  const stronger = WORDS.stronger.replace("{percent}", percentile(map.values, value));
  return `${stronger} · ${numberText(value)}, row ${cell.row + 1}, column ${cell.column + 1}` +
    (field ? ` · looks at ${fieldText(cell, field)}` : "");
}

function fieldText(cell, field) {
  const { resolution } = field;
  const [left, top, right, bottom] = receptiveField(cell, field);
  const [width, height] = [right - left, bottom - top].map((side) => Math.round(side * resolution));
  return width === resolution && height === resolution
    ? "the whole square" : `${width}×${height} px of ${resolution}×${resolution}`;
}

// What a saved picture says in full; its last line ends with the scale of the map where there is one.
function captionLines(caption, map) {
  if (!map) return caption;
  const signed = isSigned(map) ? ", for and against" : "";
  const scale = { own: "scale of its own", shared: "comparable scale", fixed: "locked scale" }[scaleOf(map)];
  return [...caption.slice(0, -1), `${caption.at(-1)}${signed}, ${scale} ${rangeText(rangeOf(map))}`];
}
