// Cutting a thing out of a photograph: a box around it, then two brushes where the cut is wrong.
// The photograph lies pale on a chequered ground, and what is cut out lies over it in full colours.

const FINEST = 0.006; // of the longer side: nearer points of a stroke are left out
const MOST_POINTS = 400; // of a stroke, as the server takes them
const BRUSHES = [2, 15, 1]; // diameters in percent of the longer side

class Cutter {
  constructor(host, tell) {
    this.tell = tell;
    const said = WORDS.cutter;
    this.tool = "box";
    this.brush = 5;
    this.cursor = { x: 0.5, y: 0.5 };
    this.photograph = element("img", { class: "pale", alt: "", draggable: "false" });
    this.cut = element("img", { class: "cut", alt: "", draggable: "false" });
    this.drawn = element("canvas", { class: "strokes", "aria-hidden": "true" });
    this.box = element("div", { class: "box" });
    this.ring = element("div", { class: "ring" });
    this.stage = element("div", { class: "cutting", tabindex: "0", role: "application" },
      this.photograph, this.cut, this.drawn, this.box, this.ring);
    listen(this.stage, {
      pointerdown: (event) => this.press(event), pointermove: (event) => this.move(event),
      pointerup: (event) => this.release(event), pointercancel: () => this.drop(),
      pointerleave: () => { this.ring.hidden = !this.keyed; }, keydown: (event) => this.key(event),
      blur: () => { this.keyed = false; this.ring.hidden = true; },
    });
    this.tools = new Segments(said.tool, ["box", "thing", "ground"].map((name) => [name, said[name]]), (name) => this.choose(name));
    this.size = new Slider(said.brush, BRUSHES, (value) => `${value} %`, (value) => { this.brush = value; this.size.show(value); });
    this.undo = button(said.undo, () => this.ask("undo", 1));
    this.again = button(said.again, () => { this.choose("box"); this.ask("again", 1); }, { look: "plain" });
    this.hint = element("span", { role: "status" });
    this.keys = element("span", { class: "keyed" });
    this.controls = element("div", { class: "cutter" }, this.tools.root, this.size.root, this.undo, this.again);
    host.replaceChildren(this.controls, this.stage, element("p", { class: "quiet small" }, this.hint, " ", this.keys));
    this.size.show(this.brush);
  }

  update(data) {
    this.data = data;
    if (this.photograph.getAttribute("src") !== data.photograph) {
      this.photograph.src = data.photograph;
      this.tool = "box";
    }
    this.cut.hidden = !data.cut;
    if (data.cut) this.cut.src = data.cut;
    this.stage.style.setProperty("--aspect", data.width / data.height);
    Object.assign(this.drawn, { width: data.width, height: data.height }); // which empties it
    this.stage.removeAttribute("aria-busy");
    this.stage.setAttribute("aria-label", data.label);
    this.edges = this.start = this.points = null;
    this.undo.disabled = !data.undo;
    this.again.disabled = !data.box;
    if (!data.box) this.tool = "box";
    this.show();
  }

  dispose() {}

  choose(tool) {
    this.tool = tool === "box" || this.data.box ? tool : "box";
    this.show();
  }

  show() {
    const boxes = this.tool === "box";
    this.tools.show(this.tool);
    for (const one of this.tools.buttons.slice(1)) one.disabled = !this.data.box;
    this.size.root.hidden = boxes;
    const { cutter: said } = WORDS;
    this.hint.textContent = boxes && this.data.cut ? said.cut_hint : said[`${this.tool}_hint`];
    this.keys.textContent = boxes ? said.box_keys : said.brush_keys;
    this.stage.dataset.tool = this.tool;
    this.ring.hidden = boxes || !this.keyed;
    this.showBox();
  }

  showBox() {
    const edges = this.edges ?? this.data.box;
    this.box.hidden = !edges || this.tool !== "box";
    if (!edges) return;
    const [left, top, right, bottom] = edges.map((edge) => 100 * edge);
    Object.assign(this.box.style, { left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%` });
  }

  // The brush of this size at a place.
  showRing({ x, y }) {
    const { width, height } = this.data;
    const across = (this.brush * Math.max(width, height)) / width;
    Object.assign(this.ring.style, { left: `${100 * x}%`, top: `${100 * y}%`, width: `${across}%` });
    this.ring.hidden = this.tool === "box";
  }

  ask(name, value) {
    this.stage.setAttribute("aria-busy", "true");
    this.tell(name, value);
  }

  at({ clientX, clientY }) {
    const frame = this.stage.getBoundingClientRect();
    return { x: clamp((clientX - frame.left) / frame.width, 0, 1), y: clamp((clientY - frame.top) / frame.height, 0, 1) };
  }

  press(event) {
    if (event.button) return;
    event.preventDefault();
    this.stage.focus({ preventScroll: true });
    this.stage.setPointerCapture(event.pointerId);
    this.start = this.at(event);
    if (this.tool !== "box") this.dab([this.start]);
  }

  move(event) {
    const to = this.at(event);
    this.keyed = false;
    if (this.tool !== "box") this.showRing(to);
    if (!this.start) return;
    if (this.tool === "box") {
      const { x, y } = this.start;
      this.edges = [Math.min(x, to.x), Math.min(y, to.y), Math.max(x, to.x), Math.max(y, to.y)];
      this.showBox();
    } else if (this.points) {
      const last = this.points.at(-1);
      if (this.points.length < MOST_POINTS && Math.hypot(to.x - last.x, to.y - last.y) >= FINEST) this.dab([...this.points, to]);
    }
  }

  release() {
    const started = this.start;
    this.start = null;
    if (started && this.tool === "box") this.sendBox();
    else if (started) this.sendStroke();
  }

  drop() {
    this.start = this.edges = null;
    this.update(this.data);
  }

  sendBox() {
    const edges = this.edges;
    if (!edges) return;
    const [left, top, right, bottom] = edges;
    if (right - left < SMALLEST || bottom - top < SMALLEST) {
      this.edges = null;
      this.showBox();
    } else {
      this.ask("box", edges.map((edge) => Number(edge.toFixed(4))));
    }
  }

  sendStroke() {
    const points = this.points.map(({ x, y }) => [Number(x.toFixed(4)), Number(y.toFixed(4))]);
    this.points = null;
    this.ask("stroke", [this.tool === "thing", this.brush / 200, points]);
  }

  // A stroke up to now, in the colour of its brush.
  dab(points) {
    this.points = points;
    const { width, height } = this.drawn;
    const context = this.drawn.getContext("2d");
    context.clearRect(0, 0, width, height);
    this.drawn.style.color = this.tool === "thing" ? "var(--accent)" : "var(--wrong)";
    context.strokeStyle = getComputedStyle(this.drawn).color;
    Object.assign(context, { lineWidth: (this.brush / 100) * Math.max(width, height), lineCap: "round", lineJoin: "round" });
    context.beginPath();
    for (const { x, y } of [points[0], ...points]) context.lineTo(x * width, y * height);
    context.stroke();
  }

  // Arrows move the box, and with Shift its lower right corner; or the brush. Enter takes it.
  key(event) {
    const step = ARROW_STEPS[event.key];
    const takes = event.key === "Enter" || event.key === " ";
    if ((!step && !takes) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.tool === "box") this.keyOnBox(step, event.shiftKey);
    else this.keyOnBrush(step);
  }

  keyOnBox(step, pulls) {
    const half = BY_KEYS / 2;
    const edges = this.edges ?? this.data.box ?? [0.5 - half, 0.5 - half, 0.5 + half, 0.5 + half];
    if (!step) {
      this.edges = edges;
      this.sendBox();
      return;
    }
    const [dx, dy] = step.map((way) => way * NUDGE);
    const [left, top, right, bottom] = edges;
    this.edges = pulls
      ? [left, top, clamp(right + dx, left + SMALLEST, 1), clamp(bottom + dy, top + SMALLEST, 1)]
      : moved(edges, dx, dy);
    this.showBox();
  }

  keyOnBrush(step) {
    this.keyed = true;
    if (step) {
      const [dx, dy] = step.map((way) => way * NUDGE);
      this.cursor = { x: clamp(this.cursor.x + dx, 0, 1), y: clamp(this.cursor.y + dy, 0, 1) };
    } else {
      this.dab([this.cursor]);
      this.sendStroke();
    }
    this.showRing(this.cursor);
  }
}

// A picture that came cut out.
class Cut {
  constructor(host) {
    this.picture = element("img", { alt: "" });
    host.replaceChildren(element("div", { class: "cutting still" }, this.picture));
  }

  update({ source, label }) {
    this.picture.src = source;
    this.picture.alt = label;
  }

  dispose() {}
}
