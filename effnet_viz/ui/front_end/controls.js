// How maps are shown: one row of controls for all pictures, and what opens under "More".

class Controls {
  constructor(deck) {
    this.deck = deck;
    this.shows = []; // functions that show what is set
    this.row = element("div", { class: "controls", role: "toolbar", "aria-label": WORDS.how_to_look });
    this.opacity = this.slider("opacity", WORDS.opacity, [0, 100, 5], (value) => `${value} %`);
    this.evidence = this.segments("evidence", WORDS.show, WORDS.evidence);
    this.brightness = this.segments("scale", WORDS.brightness, WORDS.scales);
    this.cover = button(WORDS.cover, () => chooseTool(isCovering() ? "point" : "box"),
      { title: WORDS.cover_title, pressed: false }, icon("cover"));
    this.keep = new Segments(WORDS.blur, [["hide", WORDS.this_part], ["keep", WORDS.all_but_this]],
      (value) => page.tell("keep", value));
    this.blur = labelled(WORDS.blur, this.keep.root);
    this.remove = button(WORDS.remove_box, uncover);
    this.hint = element("span", { class: "hint" }, WORDS.cover_hint);
    this.looks = button(WORDS.opacity_brightness, null, { look: "plain looks" });
    this.looks.append(icon("down"));
    this.more = button(WORDS.more, null, { look: "plain" });
    this.more.append(icon("down"));
    this.popup = new Popup(this.more, WORDS.more, ...this.fine());
    this.lookPopup = new Popup(this.looks, WORDS.opacity_brightness);
    this.grow = element("span", { class: "grow" });
    this.asks = element("span", { class: "group" });
    this.scale = element("span", { class: "scale" }, element("span"), element("canvas", { width: "256", height: "1" }), element("span"));
    this.method = element("select", { class: "method", "aria-label": WORDS.method, onchange: () => page.tell("method", this.method.value) });
    this.methodGroup = element("span", { class: "group", title: WORDS.method }, this.method); // says itself what it is
    this.looking = element("span", { class: "looking" }, this.opacity.root, this.evidence, this.brightness);
    this.row.append(this.looking, this.scale, this.methodGroup, this.cover, this.blur, this.remove,
      this.hint, this.more, this.grow, this.looks, this.asks);
    this.panels = [this.popup.panel, this.lookPopup.panel];
  }

  // What is set more rarely.
  fine() {
    this.colours = element("select", { "aria-label": WORDS.colours, onchange: () => set(this.coloursSetting, this.colours.value) });
    const zoom = element("output", { class: "zoom", "aria-live": "off" });
    const hold = button(WORDS.hold_photograph, null, { title: WORDS.hold_title });
    listen(hold, {
      pointerdown: () => holdPhotograph(true), pointerup: () => holdPhotograph(false), pointerleave: () => holdPhotograph(false),
      contextmenu: (event) => event.preventDefault(), blur: () => holdPhotograph(false), keyup: () => holdPhotograph(false),
      keydown: (event) => { if (event.key === " " || event.key === "Enter") holdPhotograph(true); },
    });
    this.shows.push(() => { zoom.textContent = `${Math.round(100 * view.zoom)} %`; });
    const line = (...content) => element("div", { class: "line" }, ...content);
    return [
      line(labelled(WORDS.colours, this.colours)),
      line(this.slider("threshold", WORDS.threshold, [0, 95, 5], (value) => (value ? `${value} %` : WORDS.off)).root),
      line(
        this.toggle("contours", WORDS.contours, "on", "off", WORDS.contours_title),
        this.toggle("divider", WORDS.divider, 50, null, WORDS.divider_title),
        this.toggle("cells", WORDS.true_grid, "blocks", "smooth", WORDS.true_grid_title)),
      line(
        this.whole = this.toggle("view", WORDS.whole_photograph, "photograph", "crop", WORDS.whole_title), hold),
      line(element("span", { class: "group", role: "group", "aria-label": WORDS.zoom },
        button("−", () => zoomBy(1 / 1.5), { label: WORDS.zoom_out }), zoom,
        button("+", () => zoomBy(1.5), { label: WORDS.zoom_in }),
        button(WORDS.all, () => lookAt(1, 0.5, 0.5), { label: WORDS.zoom_all }))),
      element("details", { class: "keys" }, element("summary", {}, WORDS.keys),
        element("dl", {}, ...WORDS.key_list.flatMap(([key, text]) => [element("dt", {}, key), element("dd", {}, text)]))),
    ];
  }

  update({ boxes, asks, stages, methods, keep, layout, folded }) {
    this.row.hidden = this.folded = folded;
    if (folded) this.popup.panel.prepend(this.scale);
    this.boxes = boxes;
    this.keep.show(keep);
    this.asks.replaceChildren(...asks.map(([name, text]) =>
      button(text, () => page.tell("ask", name), { look: "plain" })));
    this.methodGroup.hidden = !methods || Boolean(stages?.scrubber);
    if (methods) {
      const options = (choices) => choices.map(([value, text]) => element("option", { value }, text));
      this.method.replaceChildren(...options(methods.at_once),
        element("optgroup", { label: WORDS.on_demand }, ...options(methods.on_demand)));
      this.method.value = methods.chosen;
    }
    this.layout = layout;
  }

  draw() {
    for (const show of this.shows) show();
    const covers = isCovering() && this.boxes;
    this.cover.hidden = !this.boxes;
    this.cover.setAttribute("aria-pressed", String(covers));
    for (const part of [this.blur, this.hint, this.looks]) part.hidden = !covers;
    this.remove.hidden = !covers || !coveredBox();
    if (!this.remove.hidden) known.add("covering");
    if (known.has("covering")) this.hint.hidden = true;
    this.more.hidden = covers;
    this.whole.hidden = ![...slots.values()].some((pane) => pane.data && pane.isCropped);
    const popup = covers ? this.lookPopup : this.popup;
    const home = covers || this.folded ? popup.panel : this.row; // one set of controls, where there is room
    if (this.looking.parentElement !== home && this.looking.parentElement !== this.deck.lookPanel) home.prepend(this.looking);
    const names = [...(settings.evidence === "signed" ? luts.diverging : luts.sequential).keys()];
    if (String(names) !== this.names) {
      this.names = String(names);
      this.colours.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
    }
    this.colours.value = settings[this.coloursSetting];
    this.drawScale();
  }

  // One bar for all maps that share a range.
  drawScale() {
    const [first, ...others] = [...slots.values()].map(({ map }) => map).filter((map) => map?.kind === "evidence");
    const share = first && scaleOf(first) !== "own" && others.every((map) => map.shares === first.shares);
    this.scale.hidden = this.layout !== "row" || !share;
    if (this.scale.hidden) return;
    const [low, bar, high] = this.scale.children;
    [low.textContent, high.textContent] = rangeOf(first).map(numberText);
    paint(bar, (rgba) => rgba.set(lutOf(first)));
  }

  get coloursSetting() {
    return settings.evidence === "signed" ? "signed_colours" : "colours";
  }

  slider(name, label, range, textOf) {
    const slider = new Slider(label, range, textOf, (value) => set(name, value));
    this.shows.push(() => slider.show(settings[name]));
    return slider;
  }

  segments(name, label, choices) {
    const segments = new Segments(label, choices, (value) => this.choose(name, value));
    this.shows.push(() => segments.show(settings[name]));
    return labelled(label, segments.root);
  }

  choose(name, value) {
    if (name === "scale" && value === "fixed" && settings.scale !== "fixed") lockNow();
    else set(name, value);
  }

  toggle(name, label, on, off, title) {
    const made = button(label, () => set(name, settings[name] === off ? on : off), { title, pressed: false });
    this.shows.push(() => made.setAttribute("aria-pressed", String(settings[name] !== off)));
    return made;
  }
}

// A button that opens the controls of a deck where they are folded.
class Look {
  constructor(host) {
    const opener = button("", null, { look: "plain opener" }, icon("sliders"), WORDS.look, icon("down"));
    opens(opener, () => page.deck?.controls.popup);
    host.replaceChildren(opener);
  }

  update() {}

  dispose() {}
}
