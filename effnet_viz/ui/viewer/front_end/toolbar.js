// The controls that all pictures of a page share, and the presenter's keys.

const ARROWS = { stage: "← →", model: "↑ ↓" };
const STEPS = { ArrowLeft: ["stage", -1], ArrowRight: ["stage", 1], ArrowUp: ["model", -1], ArrowDown: ["model", 1] };

const KEYS = [
  ["← ↑ → ↓", "move from cell to cell, when a picture has the focus"],
  ["Enter or click", "pin the place; again to let go"],
  ["H, held", "the bare photograph"],
  ["+ − 0", "zoom in, out, all; or Ctrl and the wheel, a double click, two fingers"],
  ["Shift and ← ↑ → ↓", "move the outlined object, where it can be moved"],
  ["P", "present: only photograph, maps and predictions, in large type"],
];

class Toolbar {
  constructor(host, tell) {
    this.host = host;
    this.tell = tell;
    this.controls = new Map(); // setting to a function that shows its value
    this.fixed = element("input", {
      type: "number", step: "any", min: "0", "aria-label": "Upper end of the fixed scale",
      title: "Upper end of the fixed scale, in units of the score (logit)",
      onchange: () => this.fixedChanged(),
    });
    this.zoom = element("output", { class: "zoom", "aria-live": "off" });
    this.cover = this.button("Cover a part", () => this.toggleBox(),
      "Draw a rectangle over the photograph and see how the predictions change without it");
    this.hold = element("button", {
      type: "button", title: "Hold to see the bare photograph (key H)",
      onpointerdown: () => hold(true), onpointerup: () => hold(false), onpointerleave: () => hold(false),
      oncontextmenu: (event) => event.preventDefault(),
      onkeydown: (event) => { if (event.key === " " || event.key === "Enter") hold(true); },
      onkeyup: () => hold(false), onblur: () => hold(false),
    }, "Hold: photograph");
    this.hint = element("div", { class: "hint", role: "status" });
    this.colours = element("select", { "aria-label": "Colours", onchange: () => this.coloursChanged() });
    const first = element("div", { class: "row" },
      this.slider("opacity", "Opacity", 0, 100, 5, (value) => `${value} %`),
      this.choice("evidence", "Evidence", {
        positive: ["Positive", "Only what speaks for the class"],
        signed: ["Signed", "Also what speaks against the class"],
      }),
      this.choice("scale", "Scale", {
        own: ["Own", "Each map uses all colours: shapes are clear, brightness cannot be compared"],
        shared: ["Shared", "One range for all maps on the page: equal colours mean equal evidence"],
        fixed: ["Fixed", "The range stays when you choose another class, image or model"],
      }, this.fixed),
      this.labelled("Colours", this.colours),
      this.choice("view", "Show", {
        photograph: ["Photograph", "The whole photograph; what the model could not see is hatched"],
        crop: ["Crop", "Only the square that the model saw"],
      }));
    const second = element("div", { class: "row" },
      this.slider("threshold", "Threshold", 0, 95, 5, (value) => (value ? `${value} %` : "off")),
      this.toggle("contours", "Contours", "on", "off", "Lines at 25, 50 and 75 % of the scale"),
      this.toggle("divider", "Divider", 50, null, "Photograph on the left, map on the right: drag the line"),
      this.toggle("cells", "True grid", "blocks", "smooth",
        "The values that the map really has; smooth edges come from enlarging them"),
      element("span", { class: "group", role: "group", "aria-label": "Zoom" },
        this.button("−", () => zoomBy(1 / 1.5), "Zoom out (key −)"), this.zoom,
        this.button("+", () => zoomBy(1.5), "Zoom in (key +)"),
        this.button("All", () => lookAt(1, 0.5, 0.5), "Show all (key 0)")),
      this.hold, this.cover,
      this.button("Present", () => present(!isPresenting()), "Only photograph, maps and predictions (key P)"));
    const keys = element("details", { class: "keys" }, element("summary", {}, "Keys"),
      element("dl", {}, ...KEYS.flatMap(([key, text]) => [element("dt", {}, key), element("dd", {}, text)])));
    const more = element("details", { class: "more" }, element("summary", {}, "More ways to look"), second, this.hint, keys);
    host.replaceChildren(element("div", { class: "toolbar", role: "group", "aria-label": "How maps are shown" },
      first, more));
    document.addEventListener("keydown", onKeyDown);
    document.addEventListener("keyup", onKeyUp);
    window.addEventListener("blur", letGoOfKeys);
  }

  update({ photograph, luts: coded, steps, boxes, movable, answered }) {
    Object.assign(page, { tell: this.tell, steps, movable });
    if (!luts.sequential.size) this.takeLuts(coded);
    takePhotograph(photograph);
    document.body.dataset.steps = steps.map((what) => `${ARROWS[what]} ${what}`).join(", ");
    this.cover.hidden = !boxes;
    if (!boxes) Object.assign(shared, { tool: "point", drawing: null }); // chosen on another page
    moving.answered = answered;
    changed(EVERYTHING);
    arrived();
    parts.add(this);
  }

  takeLuts(coded) {
    for (const [kind, setting] of [["sequential", "colours"], ["diverging", "signed_colours"]]) {
      for (const [name, base64] of Object.entries(coded[kind])) luts[kind].set(name, decodeLut(base64));
      SETTINGS[setting].read.choices = [...luts[kind].keys()];
      [SETTINGS[setting].initial] = luts[kind].keys();
    }
    readAddress();
  }

  dispose() {
    parts.delete(this);
    document.removeEventListener("keydown", onKeyDown);
    document.removeEventListener("keyup", onKeyUp);
    window.removeEventListener("blur", letGoOfKeys);
    letGoOfKeys();
    stopMoving();
    present(false);
  }

  draw() {
    for (const show of this.controls.values()) show();
    this.zoom.textContent = `${Math.round(100 * view.zoom)} %`;
    this.cover.setAttribute("aria-pressed", String(shared.tool === "box"));
    this.hint.textContent = shared.tool === "box"
      ? "Draw a rectangle on a picture: drag, or Enter at two corners. Esc to leave it." : "";
    this.fixed.hidden = settings.scale !== "fixed";
    const active = this.host.getRootNode().activeElement;
    if (active !== this.fixed) this.fixed.value = settings.fixed ?? "";
    const names = [...(settings.evidence === "signed" ? luts.diverging : luts.sequential).keys()];
    if (String(names) !== this.names) {
      this.names = String(names);
      this.colours.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
    }
    this.colours.value = settings[this.coloursSetting];
  }

  get coloursSetting() {
    return settings.evidence === "signed" ? "signed_colours" : "colours";
  }

  coloursChanged() {
    set(this.coloursSetting, this.colours.value);
  }

  fixedChanged() {
    const value = Number(this.fixed.value);
    if (value > 0) set("fixed", value);
  }

  toggleBox() {
    shared.tool = shared.tool === "box" ? "point" : "box";
    shared.drawing = null;
    changed(POINTER);
  }

  labelled(label, ...controls) {
    return element("label", { class: "group" }, element("span", { class: "label" }, label), ...controls);
  }

  button(text, onclick, title) {
    return element("button", { type: "button", title, "aria-label": `${text}: ${title}`, onclick }, text);
  }

  slider(name, label, min, max, step, textOf) {
    const output = element("output", { class: "value", "aria-live": "off" });
    const input = element("input", {
      type: "range", min, max, step, "aria-label": label,
      oninput: () => set(name, Number(input.value)),
    });
    this.controls.set(name, () => {
      input.value = settings[name];
      output.textContent = textOf(settings[name]);
      input.setAttribute("aria-valuetext", output.textContent);
    });
    return this.labelled(label, input, output);
  }

  choice(name, label, choices, ...more) {
    const buttons = Object.entries(choices).map(([value, [text, title]]) => element("button", {
      type: "button", role: "radio", title, onclick: () => this.choose(name, value),
    }, text));
    const group = element("span", {
      class: "choices", role: "radiogroup", "aria-label": label,
      onkeydown: (event) => this.keyOnChoice(event, buttons),
    }, ...buttons);
    const values = Object.keys(choices);
    this.controls.set(name, () => buttons.forEach((button, i) => {
      const checked = values[i] === settings[name];
      button.setAttribute("aria-checked", String(checked));
      button.tabIndex = checked ? 0 : -1;
    }));
    return element("span", { class: "group" }, element("span", { class: "label" }, label), group, ...more);
  }

  keyOnChoice(event, buttons) {
    const steps = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const at = buttons.indexOf(event.target) + steps[event.key];
    const next = buttons[(at + buttons.length) % buttons.length];
    next.click();
    next.focus();
  }

  choose(name, value) {
    // The fixed scale starts as the shared one: what is on the page stays as it is.
    if (name === "scale" && value === "fixed" && settings.fixed === null) {
      const maps = [...parts].map((part) => part.map).filter((map) => map?.kind === "evidence");
      const [, high] = settings.evidence === "signed" ? signedRange(maps) : positiveRange(maps);
      settings.fixed = Number(high.toPrecision(2));
    }
    set(name, value);
  }

  toggle(name, label, on, off, title) {
    const button = element("button", {
      type: "button", title, onclick: () => set(name, settings[name] === off ? on : off),
    }, label);
    this.controls.set(name, () => button.setAttribute("aria-pressed", String(settings[name] !== off)));
    return button;
  }
}

// The photograph arrives once and every pane shows it; the one before it stays while panes change.
function takePhotograph({ id, source }) {
  const known = photographs.get(id);
  if (known) { // it is the newest again
    photographs.delete(id);
    photographs.set(id, known);
    return;
  }
  const [head, content] = source.split(",");
  const type = /^data:(image\/(?:webp|jpeg|png));base64$/.exec(head)?.[1];
  if (!type) throw new Error(`The photograph ${id} is not an image.`);
  for (const [old, { url }] of [...photographs].slice(0, -1)) {
    photographs.delete(old);
    URL.revokeObjectURL(url);
  }
  photographs.set(id, { url: URL.createObjectURL(new Blob([bytesOf(content)], { type })) });
}

function hold(holding) {
  shared.holding = holding;
  changed(VIEW);
}

function isPresenting() {
  return document.body.classList.contains("presenting");
}

function present(presenting) {
  document.body.classList.toggle("presenting", presenting);
  changed(EVERYTHING);
}

function isTyping(event) {
  const [target] = event.composedPath();
  return target.matches?.("input, textarea, select, [contenteditable]");
}

function onKeyDown(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
  const actions = {
    h: () => hold(true), p: () => present(!isPresenting()), escape: leave,
    "+": () => zoomBy(1.5), "=": () => zoomBy(1.5), "-": () => zoomBy(1 / 1.5), 0: () => lookAt(1, 0.5, 0.5),
  };
  const [what, by] = STEPS[event.key] ?? [];
  if (isPresenting() && page.steps.includes(what)) {
    event.preventDefault();
    page.tell("step", [what, by]);
  } else if (!event.repeat) actions[event.key.toLowerCase()]?.(); // Caps Lock and Shift make capitals
}

function onKeyUp(event) {
  if (event.key.toLowerCase() === "h") hold(false);
}

// Keys that are let go in another window are not heard here.
function letGoOfKeys() {
  hold(false);
}

function leave() {
  if (shared.tool === "box") {
    Object.assign(shared, { tool: "point", drawing: null });
    changed(POINTER);
  } else if (isPresenting()) present(false);
  else if (settings.pin !== null) pinAt(null);
}
