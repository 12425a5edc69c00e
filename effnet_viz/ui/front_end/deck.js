// The pictures of a page side by side with their controls: a pair, or a row of networks. On a phone
// one picture at a time; while presenting they fill the screen.

const PHONE = matchMedia("(max-width: 640px)");
const MOST_IN_A_ROW = 5;
const SETTLED = 700; // ms after which a stage is no longer passed by
const PLAYED = 800; // ms for each stage
const STEPS = { ArrowLeft: ["stage", -1], ArrowRight: ["stage", 1], ArrowUp: ["model", -1], ArrowDown: ["model", 1] };

class Deck {
  constructor(host, tell) {
    this.host = host;
    Object.assign(page, { tell, deck: this, covered: null });
    decks += 1;
    this.headline = element("p", { class: "headline" });
    this.exit = button(WORDS.exit, () => present(false), { look: "exit" }, icon("close"));
    this.top = element("header", { class: "top" }, this.headline, this.exit);
    this.slots = element("div", { class: "slots" });
    this.answers = element("ol", { class: "answers" });
    this.footer = element("footer");
    this.controls = new Controls(this);
    this.pick = element("div", { class: "pick" });
    this.sheet = new Sheet(this);
    this.scrubber = element("div", { class: "scrub" });
    this.root = element("section", { class: "deck", "aria-label": WORDS.maps }, this.top, this.slots, this.pick,
      this.answers, this.controls.row, this.footer, ...this.controls.panels, this.sheet.root);
    host.replaceChildren(this.root);
    this.cells = new Map(); // name to {root, pane, head}
    this.keyListeners = { keydown: onKeyDown, keyup: onKeyUp };
    listen(document, this.keyListeners);
    window.addEventListener("blur", letGoOfKeys);
    PHONE.addEventListener("change", drawEverything);
  }

  update(data) {
    this.data = data;
    Object.assign(page, {
      steps: data.steps, movable: data.movable, covered: data.covered,
    });
    usualScale(data.scale);
    if (!data.boxes) shared.tool = "point"; // chosen on another page
    this.root.dataset.layout = data.layout;
    this.root.classList.toggle("wall", data.wall);
    this.takeSlots(data.slots);
    this.controls.update(data);
    this.sheet.update(data);
    this.showStages(data.stages);
    this.showPresented(data.presented);
    changed(EVERYTHING);
    objectArrived(data.answered);
    parts.add(this);
  }

  takeSlots(wanted) {
    const names = wanted.map(({ name }) => name);
    for (const [name, cell] of this.cells) {
      if (names.includes(name)) continue;
      cell.pane.dispose();
      cell.root.remove();
      this.cells.delete(name);
      slots.delete(name);
    }
    const roots = wanted.map((slot, place) => {
      const known = this.cells.get(slot.name);
      const cell = known ?? this.createSlot(slot, place);
      Object.assign(cell, { place, slot });
      this.fillHead(cell, slot);
      const early = waitingMaps.get(slot.name);
      this.fillBody(cell, early?.instead ?? slot);
      if (early && !known) this.fill(slot.name, early);
      return cell.root;
    });
    roots.forEach((root, i) => { if (this.slots.children[i] !== root) this.slots.insertBefore(root, this.slots.children[i] ?? null); });
    const rows = Math.ceil(wanted.length / MOST_IN_A_ROW);
    this.slots.style.setProperty("--count", Math.ceil(wanted.length / rows));
    this.slots.classList.toggle("several", rows > 1);
    this.pick.hidden = this.data.layout !== "pair";
    if (String(names) !== this.names) {
      this.names = String(names);
      const first = wanted.find(({ when = "always" }) => when === "always");
      this.shown = names.includes(this.shown) ? this.shown : first?.name;
      this.picks = new Segments(WORDS.picture, wanted.map(({ name, short }) => [name, short]), (name) => this.showSlot(name));
      this.pick.replaceChildren(this.picks.root);
    }
  }

  createSlot({ name, answered, more }, place) {
    const head = element("h2", { class: "head" });
    const body = element("div", { class: "body" });
    const instead = element("div", { class: "instead" });
    const root = element("div", { class: "slot", "data-slot": name }, head, body, instead);
    const cell = { root, head, instead, body, place, pane: new Pane(body) };
    cell.pane.under.keepRoom(answered, more);
    this.cells.set(name, cell);
    slots.set(name, cell.pane);
    return cell;
  }

  fillHead({ head }, { title, detail, colour }) {
    head.hidden = !title;
    const dot = colour ? [element("span", { class: "dot", style: `--net: var(--net-${colour})` })] : [];
    head.replaceChildren(...dot, element("span", { class: "name" }, title ?? ""), ...(detail ? [element("small", {}, detail)] : []));
  }

  // A still of something else, or what has to be said, in place of a picture.
  fillBody({ root, body, instead }, { still, note, buttons = [] }) {
    const other = Boolean(still || note);
    body.hidden = other;
    instead.hidden = !other;
    root.classList.toggle("still", Boolean(still));
    const drawn = still?.source ? [element("img", { src: still.source, alt: still.description })] : [];
    const picture = still ? [element("div", { class: "mini" }, ...drawn)] : [];
    instead.replaceChildren(...picture, element("p", {}, note || still?.text || ""),
      ...buttons.map(([name, text]) => button(text, () => page.tell("ask", name))));
    if (still) {
      const [path, text] = still.link;
      instead.append(pageLink(path, { class: "button" }, text), element("p", { class: "below" }, still.below));
    }
  }

  fill(name, data) {
    waitingMaps.set(name, data);
    if (this.scrubbing && !data.instead && this.staged.includes(name)) return; // of a stage that is left
    this.fillNow(name, data);
  }

  fillNow(name, data) {
    const cell = this.cells.get(name);
    if (!cell) return;
    this.fillBody(cell, data.instead ?? cell.slot);
    if (data.instead) {
      if (this.data) objectArrived(this.data.answered);
      return;
    }
    if (data.map) data.map.place = cell.place;
    cell.pane.update(data);
    if (!this.data) return;
    objectArrived(this.data.answered);
    const first = page.movable && cell.place === 0 && data.objects.length;
    if (!first || known.has("how to drag")) return;
    known.add("how to drag");
    showHand(cell.pane, this.slots);
  }

  // What the deck itself says of a place, where nothing else is left there.
  restore(name) {
    const cell = this.cells.get(name);
    if (cell) this.fillBody(cell, cell.slot);
  }

  // On a phone, a part is covered on the photograph.
  chooseTool(tool) {
    const [covers, looks] = ["covering", "always"].map((when) => this.data.slots.find((slot) => (slot.when ?? "always") === when)?.name);
    this.shown = tool === "box" ? covers : looks;
    if (this.sheet.opened) this.sheet.open(this.sheet.opened);
  }

  showSlot(name) {
    this.shown = name;
    changed(EVERYTHING);
  }

  // All stages in a row, under the picture that is of the chosen one, or under all; beside the controls
  // where these stay in sight. Click, drag across, or arrow keys.
  showStages(stages) {
    const of = stages?.of;
    if (this.scrubbing && of !== this.of) { // other pictures are on their way
      this.stopPlaying();
      this.tellStage();
    }
    this.of = of;
    this.scrubber.hidden = !stages;
    this.showPassing();
    if (!stages || this.scrubbing) return; // and this is what the server knew before
    if (String([stages.scrubber, stages.labels]) !== this.built) this.buildStages(stages);
    this.stages.show(stages.chosen);
    this.asked = stages.chosen;
    this.showPassing();
    this.offerPlay();
    this.placeStages(stages.scrubber);
  }

  // What is moved in the document loses the focus: only where it does not lie there already.
  placeStages(slot) {
    const place = this.cells.get(slot)?.root;
    const before = this.data.wall ? this.controls.methodGroup : this.slots;
    if (place && this.scrubber.parentElement !== place && !PHONE.matches) place.append(this.scrubber);
    else if (!slot && before.nextElementSibling !== this.scrubber) before.after(this.scrubber);
  }

  buildStages({ labels, scrubber }) {
    this.built = String([scrubber, labels]);
    this.stages = new Segments(scrubber ? WORDS.stage_of_grad_cam : WORDS.stage,
      labels.map((label, i) => [i + 1, String(i + 1), label, label]), (stage) => this.askStage(stage));
    this.play = button("", () => this.playStages(), { look: "plain icon", label: WORDS.play }, icon("play"));
    const before = scrubber ? [this.controls.method] : [element("span", { class: "label" }, WORDS.stage)];
    const [fine, coarse] = [WORDS.fine, WORDS.coarse].map((word) => element("span", { class: "end" }, word));
    this.scrubber.replaceChildren(...before, this.play, fine, this.stages.root, coarse);
    this.stages.root.addEventListener("pointermove", (event) => {
      if (event.buttons !== 1) return;
      // A finger's events all go to where it began.
      const at = this.stages.root.getRootNode().elementFromPoint(event.clientX, event.clientY);
      this.stages.buttons.find((one) => one === at)?.click();
    });
  }

  // Somebody goes through the stages, and the server has not been told yet.
  get scrubbing() {
    return Boolean(this.telling || this.playing);
  }

  // The names of the pictures that are of the chosen stage.
  get staged() {
    const { scrubber } = this.data?.stages ?? {};
    return scrubber ? [scrubber] : [...this.cells].filter(([, { body }]) => !body.hidden).map(([name]) => name);
  }

  // What they show at a stage, by name; null unless it is here for all of them. Networks may have
  // fewer stages than the deck: what they have in common is the last one.
  picturesAt(stage) {
    const { of, labels } = this.data?.stages ?? {};
    const found = of ? this.staged.map((name) => [name, page.stages.get(name)?.at(stage - labels.length - 1, of)]) : [];
    return found.length && found.every(([, picture]) => picture) ? found : null;
  }

  askStage(stage) {
    if (stage === this.asked) return;
    this.asked = stage;
    this.stages.show(stage);
    this.showPassing();
    clearTimeout(this.telling);
    this.telling = 0;
    const pictures = this.picturesAt(stage);
    if (pictures) {
      for (const [name, picture] of pictures) this.fillNow(name, picture);
      this.telling = setTimeout(() => this.tellStage(), SETTLED); // the rest of the page follows
      return;
    }
    this.stopPlaying();
    this.cells.get(this.data.stages.scrubber)?.pane.stage.setAttribute("aria-busy", "true");
    page.tell("stage", stage);
  }

  // A stage further or back without asking the server; whether that could be done.
  stepStage(by) {
    const stage = Math.min(Math.max(this.asked + by, 1), this.stages?.values.length ?? 1);
    if (!this.picturesAt(stage)) return false;
    this.askStage(stage);
    return true;
  }

  tellStage() {
    clearTimeout(this.telling);
    this.telling = 0;
    if (!this.playing) page.tell("stage", this.asked);
  }

  // Pictures of a stage of which the page has said nothing yet.
  showPassing() {
    const { stages } = this.data;
    this.passing = Boolean(stages) && !stages.scrubber && this.asked !== stages.chosen;
    document.body.toggleAttribute("data-passing", this.passing);
    this.showHeadline();
  }

  // All stages are here, so that they can be played.
  offerPlay() {
    if (this.play) this.play.hidden = !this.picturesAt(1);
    if (this.play?.hidden) this.stopPlaying();
  }

  playStages() {
    if (this.playing) {
      this.stopPlaying();
      this.tellStage();
      return;
    }
    const count = this.stages.values.length;
    this.playing = setInterval(() => this.askStage((this.asked % count) + 1), PLAYED);
    this.askStage((this.asked % count) + 1);
  }

  stopPlaying() {
    clearInterval(this.playing);
    this.playing = 0;
  }

  showPresented({ headline, rows, keys }) {
    this.presented = headline;
    this.showHeadline();
    this.answers.replaceChildren(...rows.map(({ label, share, part, chosen }) => element("li", {
      class: chosen ? "now" : "", style: `--p: ${part}`,
    }, element("span", {}, label), element("span", {}, share))));
    this.footer.textContent = keys;
  }

  // What the page says of all pictures comes when all are there; until then, of which stage they are.
  showHeadline() {
    this.headline.textContent = this.passing ? this.data.stages.labels[this.asked - 1] : page.claim || this.presented;
  }

  dispose() {
    parts.delete(this);
    for (const { pane } of this.cells.values()) pane.dispose();
    slots.clear();
    waitingMaps.clear();
    clearTimeout(this.telling);
    this.stopPlaying();
    document.body.removeAttribute("data-passing");
    decks -= 1;
    for (const [name, listener] of Object.entries(this.keyListeners)) document.removeEventListener(name, listener);
    window.removeEventListener("blur", letGoOfKeys);
    PHONE.removeEventListener("change", drawEverything);
    letGoOfKeys();
    moving.stop();
    covering.stop();
    settings.pin = null; // a place on this page's pictures
    present(false);
    if (page.deck === this) page.deck = null;
  }

  draw() {
    if (!this.data) return;
    const phone = PHONE.matches && !isPresenting();
    const covers = isCovering() && this.data.boxes;
    this.root.classList.toggle("covering", covers);
    this.root.classList.toggle("phone", phone);
    for (const [name, cell] of this.cells) {
      const { when = "always" } = this.data.slots[cell.place];
      const usual = { always: true, covering: covers, looking: !covers }[when];
      cell.root.hidden = phone && this.data.layout === "pair" ? name !== this.shown : !usual;
    }
    this.picks?.show(this.shown);
    this.controls.draw();
    this.sheet.draw(phone && this.data.layout === "pair");
  }
}

function drawEverything() {
  changed(EVERYTHING);
}

// On a phone the controls lie in a sheet at the lower edge, never over the picture.
class Sheet {
  constructor(deck) {
    this.deck = deck;
    this.tabs = ["class", "stage", "look"].map((name) => button(WORDS[name], () => this.open(name), { look: "tab" }));
    this.panels = ["class", "stage", "look"].map((name) => element("div", { class: `panel for-${name}` }));
    this.root = element("aside", { class: "sheet", "aria-label": WORDS.sheet },
      element("div", { class: "tabs" }, ...this.tabs), ...this.panels);
    this.panels[1].append(element("p", { class: "quiet" }, WORDS.stages_hint));
    this.opened = null;
  }

  update({ stages, layout, asks }) {
    this.root.hidden = layout !== "pair";
    this.stages = stages;
    const [, , look] = this.panels;
    this.tabs[0].hidden = this.tabs[1].hidden = !stages; // nothing to choose
    if (stages) this.tabs[1].textContent = `${WORDS.stage} ${stages.chosen}`;
    const save = button(WORDS.save, () => saveFile(slots.get(this.deck.shown)), {}, icon("save"));
    this.asks = element("div", { class: "two" }, save, ...asks.map(([name, text]) => button(text, () => page.tell("ask", name))));
    look.querySelector(".two")?.replaceWith(this.asks);
  }

  open(name) {
    this.opened = this.opened === name ? null : name;
    document.body.dataset.sheet = this.opened ?? "";
    changed(EVERYTHING);
  }

  draw(phone) {
    const { controls, scrubber, cells } = this.deck;
    const [, stage, look] = this.panels;
    if (phone) {
      if (controls.looking.parentElement !== look) {
        look.replaceChildren(controls.looking, element("div", { class: "line" }, controls.cover, controls.more), this.asks ?? "");
      }
      if (scrubber.parentElement !== stage) stage.append(scrubber);
    } else if (controls.looking.parentElement === look) {
      controls.row.prepend(controls.looking, controls.scale, controls.methodGroup, controls.cover, controls.blur, controls.remove,
        controls.hint, controls.more);
      cells.get(this.stages?.scrubber)?.root.append(scrubber);
      this.opened = null;
    }
    this.root.classList.toggle("open", Boolean(this.opened));
    ["class", "stage", "look"].forEach((name, i) => {
      this.tabs[i].setAttribute("aria-expanded", String(this.opened === name));
      this.panels[i].hidden = this.opened !== name;
    });
    if (this.stages) this.tabs[1].textContent = `${WORDS.stage} ${this.deck.asked}`; // while one scrubs, too
    if (!phone && document.body.dataset.sheet) document.body.dataset.sheet = "";
  }
}

function takeLuts(coded) {
  if (luts.sequential.size) return;
  for (const [kind, setting] of [["sequential", "colours"], ["diverging", "signed_colours"]]) {
    for (const [name, base64] of Object.entries(coded[kind])) luts[kind].set(name, decodeLut(base64));
    SETTINGS[setting].read.choices = [...luts[kind].keys()];
    [SETTINGS[setting].initial] = luts[kind].keys();
  }
  readAddress();
}

// The photograph arrives once and every pane shows it; the one before it stays while panes change.
function takePhotograph({ id, source }) {
  const known = photographs.get(id);
  if (known) { // it is the newest again
    photographs.delete(id);
    photographs.set(id, known);
    return;
  }
  for (const [old, { url }] of [...photographs].slice(0, -1)) {
    photographs.delete(old);
    URL.revokeObjectURL(url);
  }
  photographs.set(id, { url: URL.createObjectURL(blobOf(source)) });
}

function blobOf(source) {
  const [head, content] = source.split(",");
  const type = /^data:(image\/(?:webp|jpeg|png));base64$/.exec(head)?.[1];
  if (!type) throw new Error("What was sent is not an image.");
  return new Blob([bytesOf(content)], { type });
}

function holdPhotograph(holding) {
  shared.holding = holding;
  changed(VIEW);
}

function holdBefore(holding) {
  shared.before = holding;
  changed(EVERYTHING);
}

function isPresenting() {
  return Boolean(page.deck?.root.classList.contains("presenting"));
}

// In the browser's top layer, above everything.
function present(presenting) {
  const root = page.deck?.root;
  if (!root || presenting === isPresenting()) return;
  root.classList.toggle("presenting", presenting);
  if (presenting) {
    root.popover = "manual";
    root.showPopover();
    page.deck.exit.focus();
  } else {
    root.hidePopover();
    root.removeAttribute("popover");
  }
  changed(EVERYTHING);
}

function isTyping(event) {
  const [target] = event.composedPath();
  return target.matches?.("input:not([type=range]), textarea, select, [contenteditable]");
}

function onKeyDown(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
  const actions = {
    h: () => holdPhotograph(true), b: () => holdBefore(true), p: () => present(!isPresenting()), escape: leave,
    w: () => set("view", settings.view === "crop" ? "photograph" : "crop"),
    n: () => page.deck?.data.asks.some(([name]) => name === "new") && page.tell("ask", "new"),
    "+": () => zoomBy(1.5), "=": () => zoomBy(1.5), "-": () => zoomBy(1 / 1.5), 0: () => lookAt(1, 0.5, 0.5),
  };
  const [what, by] = STEPS[event.key] ?? [];
  if (isPresenting() && page.steps.includes(what)) {
    event.preventDefault();
    if (what !== "stage" || !page.deck.stepStage(by)) page.tell("step", [what, by]);
  } else if (!event.repeat) actions[event.key.toLowerCase()]?.(); // Caps Lock and Shift make capitals
}

function onKeyUp(event) {
  if (event.key.toLowerCase() === "h") holdPhotograph(false);
  if (event.key.toLowerCase() === "b") holdBefore(false);
}

// Keys that are let go in another window are not heard here.
function letGoOfKeys() {
  holdPhotograph(false);
  holdBefore(false);
}

function leave() {
  if (page.deck?.sheet.opened) page.deck.sheet.open(page.deck.sheet.opened);
  else if (isPresenting()) present(false);
  else if (isCovering()) chooseTool("point");
  else if (settings.pin !== null) pinAt(null);
}
