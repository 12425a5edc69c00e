// Pieces that parts are built of: elements, icons, buttons, one choice of few, sliders, popovers.

// A new element; attributes that start with "on" are listeners, the others are plain attributes.
function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) created.addEventListener(name.slice(2), value);
    else if (value !== undefined) created.setAttribute(name, value);
  }
  created.append(...children);
  return created;
}

function listen(target, listeners) {
  for (const [name, listener] of Object.entries(listeners)) target.addEventListener(name, listener);
}

function svgElement(tag, attributes = {}) {
  const created = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  return created;
}

const ICONS = {
  menu: "M3 5h14M3 10h14M3 15h14", plus: "M10 4v12M4 10h12", close: "M5 5l10 10M15 5L5 15",
  settings: "M10 4v.1M10 10v.1M10 16v.1", camera: "M3 6.5h3l1.5-2h5l1.5 2h3v9H3zM12.8 10.7a2.8 2.8 0 1 1-5.6 0a2.8 2.8 0 1 1 5.6 0",
  share: "M10 12V3M6.5 6 10 2.8 13.5 6M4 10v6.5h12V10", present: "M3 4h14v9H3zM10 13v3.5M7 17h6",
  sliders: "M3 6h8M15 6h2M3 14h2M9 14h8M15 6a2 2 0 1 1-4 0a2 2 0 1 1 4 0M9 14a2 2 0 1 1-4 0a2 2 0 1 1 4 0",
  down: "m6 8 4 4 4-4", save: "M10 3v9M6.5 9 10 12.3 13.5 9M4 16.5h12",
  cover: "M4 7V4h3M13 4h3v3M16 13v3h-3M7 16H4v-3M7.5 7.5h5v5h-5z",
  point: "M14.5 10a4.5 4.5 0 1 1-9 0a4.5 4.5 0 1 1 9 0M10 2v4M10 14v4M2 10h4M14 10h4",
  weak: "M10 3.2 18 16.5H2zM10 8v4M10 14.2v.1", bin: "M4 6h12M8 6V4h4v2M6 6l.6 10.5h6.8L14 6M8.5 9v5M11.5 9v5",
  play: "M6.5 4.5v11l9-5.5z", right: "m3.5 8.5 3 3 6-7", wrong: "M4 4l8 8M12 4l-8 8",
};

function icon(name) {
  const small = name === "right" || name === "wrong";
  const svg = svgElement("svg", { class: "i", viewBox: small ? "0 0 16 16" : "0 0 20 20", "aria-hidden": "true" });
  svg.append(svgElement("path", { d: ICONS[name] }));
  return svg;
}

function button(text, onclick, { title, look = "", label, pressed } = {}, ...before) {
  const attributes = { type: "button", class: look, title, "aria-label": label, onclick };
  if (pressed !== undefined) attributes["aria-pressed"] = String(pressed);
  return element("button", attributes, ...before, ...(text ? [text] : []));
}

// To another page of the app; `before` runs first.
function pageLink(path, { before = () => {}, ...attributes }, ...children) {
  return element("a", {
    href: platform.address(path), ...attributes,
    onclick: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab
      event.preventDefault();
      before();
      if (attributes["aria-current"] !== "page") platform.open(path);
    },
  }, ...children);
}

// Arrow keys move within a group that is one stop of the Tab key.
function moveByKeys(event, buttons, perRow = 1) {
  if (event.ctrlKey || event.metaKey || event.altKey || isPresenting()) return null;
  const steps = { ArrowLeft: -1, ArrowUp: -perRow, ArrowRight: 1, ArrowDown: perRow };
  const at = buttons.indexOf(event.target);
  const next = { Home: 0, End: buttons.length - 1 }[event.key]
    ?? (event.key in steps ? (at + steps[event.key] + buttons.length) % buttons.length : -1);
  if (at < 0 || next < 0) return null;
  event.preventDefault();
  event.stopPropagation();
  buttons[next].focus();
  return buttons[next];
}

// One choice of few: `choices` are [value, text, title, label]; `choose` hears the value.
class Segments {
  constructor(label, choices, choose, look = "") {
    this.values = choices.map(([value]) => value);
    this.buttons = choices.map(([value, text, title, name]) => element("button", {
      type: "button", role: "radio", title, "aria-label": name, onclick: () => choose(value),
    }, text));
    this.root = element("span", {
      class: `segments ${look}`, role: "radiogroup", "aria-label": label,
      onkeydown: (event) => moveByKeys(event, this.buttons)?.click(),
    }, ...this.buttons);
  }

  show(chosen) {
    const at = this.values.indexOf(chosen);
    this.buttons.forEach((one, i) => {
      one.setAttribute("aria-checked", String(i === at));
      one.tabIndex = i === Math.max(at, 0) ? 0 : -1;
    });
  }
}

class Slider {
  constructor(label, [min, max, step], textOf, change) {
    this.textOf = textOf;
    this.input = element("input", {
      type: "range", min, max, step, "aria-label": label, oninput: () => change(Number(this.input.value)),
    });
    this.output = element("output", { "aria-live": "off" });
    this.root = labelled(label, this.input, this.output);
  }

  show(value) {
    const { min, max } = this.input;
    this.input.value = value;
    this.input.style.setProperty("--at", `${(100 * (value - min)) / (max - min)}%`);
    this.output.textContent = this.textOf(value);
    this.input.setAttribute("aria-valuetext", this.output.textContent);
  }
}

function labelled(text, ...controls) {
  return element("span", { class: "group" }, element("span", { class: "label" }, text), ...controls);
}

// A button and what it opens beside itself, above everything, until one clicks elsewhere.
class Popup {
  constructor(opener, label, ...content) {
    this.opener = opener;
    this.panel = element("div", { class: "popup", popover: "auto", role: "dialog", "aria-label": label }, ...content);
    this.panel.addEventListener("toggle", ({ newState }) => {
      this.opener.setAttribute("aria-expanded", String(newState === "open"));
      if (newState === "open") this.place();
    });
    opens(opener, () => this);
  }

  get isOpen() {
    return this.panel.matches(":popover-open");
  }

  open(opener) {
    this.opener = opener;
    this.panel.showPopover();
  }

  place() {
    const at = this.opener.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.panel;
    const left = clamp(at.left, 8, Math.max(8, innerWidth - width - 8));
    const below = at.bottom + 4;
    const top = below + height > innerHeight - 8 ? Math.max(8, at.top - height - 4) : below;
    Object.assign(this.panel.style, { left: `${left}px`, top: `${top}px` });
  }

  close() {
    if (this.isOpen) this.panel.hidePopover();
  }
}

// What somebody at this browser has done once: its hint is not shown again.
const known = {
  has(what) {
    try {
      return localStorage.getItem(`effnet-viz knows ${what}`) === "yes";
    } catch { // a browser that keeps nothing
      return false;
    }
  },
  add(what) {
    try {
      localStorage.setItem(`effnet-viz knows ${what}`, "yes");
    } catch { // it is told again
    }
  },
};

// Lets a button open and close a popup. Pressing beside a popup has closed it before the click comes.
function opens(opener, popupOf) {
  let wasOpen = false;
  opener.setAttribute("aria-haspopup", "dialog");
  opener.setAttribute("aria-expanded", "false");
  listen(opener, {
    pointerdown: () => { wasOpen = Boolean(popupOf()?.isOpen); },
    click: () => {
      const popup = popupOf();
      if (wasOpen || popup?.isOpen) popup.close();
      else popup?.open(opener);
      wasOpen = false;
    },
  });
}
