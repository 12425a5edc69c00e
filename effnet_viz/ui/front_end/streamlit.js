// The only file, with part.js, that knows Streamlit: all others speak of host elements, update(data),
// dispose() and tell(name, value).
//
// In: mount() is called for a part of the page, and again whenever its data change:
//   data             what effnet_viz/ui sends; data.part names the kind of part
//   parentElement    in a shadow root, with the element of class "part" that the part fills
//   setTriggerValue  tells the server
// Out, as tell(name, value), each of which runs the page again:
//   deck      "step" ["stage" or "model", 1 or -1]; "stage" number; "ask" name of a button;
//             "move" [x, y, object, number], "box" [left, top, right, bottom, number] and "uncover"
//             number, places in fractions of the photograph; "keep" "hide" or "keep"
//   follow    "move" as the deck's, which has been let go there
//   channels  "clicked" channel
//   rows      "class" label
//   strip     "photograph" key; "remove" key; "forget" 1; "kept" photographs of this tab;
//             "read" 1, of what is said of files; "share" address
//   onward    "onward" 1
//   cutter    "box" [left, top, right, bottom]; "stroke" [whether of the object, radius, [[x, y], …]],
//             in shares of the picture, the radius of its longer side; "undo" 1; "again" 1
// The page's address: state.js reads and writes it as any page would. Streamlit writes it too, from
// what the server knew before, so that it is put right again all the time; and for what the server
// itself sets, it would make an entry of the history each time.

// What Streamlit makes of the page: its own pieces, as selectors, and its pages.
const platform = {
  field: "[data-testid=stFileUploader]", // a field for other files than photographs
  uploader: ".st-key-files input[type=file]", // its limits hold for every way in
  files: ".st-key-files [data-testid=stFileChip]", // those that the field has taken hold of
  arriving: ".st-key-files [data-testid=stFileChipIconSpinner]",
  failed: ".st-key-files [data-testid=stFileChip][aria-invalid=true]",
  fileName: "[data-testid=stFileChipName]",
  removeFile: "[data-testid=stFileChipDeleteBtn] button",
  cancelFile: "[data-testid=stFileChip]:has([data-testid=stFileChipIconSpinner]) [data-testid=stFileChipDeleteBtn] button",
  pageLink: "[data-testid=stPageLink] a:not([disabled])", // without a connection it leads nowhere
  menu: "[data-testid=stMainMenuButton]", // theme, print
  main: "[data-testid=stMain]",
  block: (name) => `.st-key-${name}`,
  address: (path) => window.__streamlit.BACKEND_BASE_URL + path,
  // As Back and Forward do. Where the server changes pages, it also makes an entry of the history
  // for the page that is left, without its choices.
  open: (path) => {
    history.pushState({}, "", platform.address(path));
    dispatchEvent(new PopStateEvent("popstate"));
  },
  overBlock: "[role=listbox], [role=tooltip], [data-st-overlay-root]", // a block's lists and its help
};

// A page is left when the address says so, or at Streamlit's own link, where the address follows the
// server's answer.
let lastPath = location.pathname;
function leavePage() {
  if (location.pathname === lastPath) return;
  lastPath = location.pathname;
  leaveFields();
}
addEventListener("popstate", leavePage);
document.addEventListener("click", ({ target }) => {
  if (target.closest?.(platform.pageLink)) leaveFields();
}, true);

// What is chosen on a page is no step for Back: only another page is a new entry.
const push = history.pushState.bind(history);
history.pushState = (state, unused, url = location.href) => {
  const stays = new URL(url, location.href).pathname === location.pathname;
  if (stays) history.replaceState(state, unused, url);
  else push(state, unused, url);
  leavePage();
};

// A map for a picture of the deck, which may come before it or after.
class SlotMap {
  constructor(host) {
    host.hidden = true;
  }

  update(data) {
    this.data = data;
    if (page.deck) page.deck.fill(data.slot, data);
    else waitingMaps.set(data.slot, data);
  }

  // Another one may have come for the same place.
  dispose() {
    if (waitingMaps.get(this.data.slot) !== this.data) return;
    waitingMaps.delete(this.data.slot);
    page.deck?.restore(this.data.slot);
  }
}

// The pictures of all stages for one place of the deck: they change without asking the server.
class StagePictures {
  constructor(host) {
    host.hidden = true;
  }

  update(data) {
    this.data = data;
    page.stages.set(data.slot, this);
    page.deck?.offerPlay();
  }

  // Others may have come for the same place.
  dispose() {
    if (page.stages.get(this.data.slot) !== this) return;
    page.stages.delete(this.data.slot);
    page.deck?.offerPlay();
  }

  // Of a stage counted from the last one, -1, if these are of what the deck shows: another class or
  // photograph is on its way. Before the first stage there is only the first.
  at(stage, of) {
    const { pictures, common } = this.data;
    return of === this.data.of ? { ...common, ...pictures.at(Math.max(stage, -pictures.length)) } : null;
  }
}

// What a page says of all pictures, over them; while presenting it is the headline.
class Claim {
  constructor(host) {
    this.text = element("h2");
    this.quiet = element("span", { class: "quiet small" });
    host.replaceChildren(element("div", { class: "claim" }, this.text, this.quiet));
  }

  update({ text, quiet }) {
    page.claim = this.text.textContent = text;
    this.quiet.textContent = quiet;
    page.deck?.showHeadline();
  }

  dispose() {
    page.claim = "";
    page.deck?.showHeadline();
  }
}

// The photograph that all pictures show, and the colours of all maps.
class Shown {
  constructor(host) {
    host.hidden = true;
  }

  update({ photograph, luts: coded }) {
    takeLuts(coded);
    page.photograph = photograph;
    takePhotograph(photograph);
    changed(EVERYTHING);
    if (page.deck?.data) objectArrived(page.deck.data.answered);
  }

  dispose() {}
}

// What all pictures show while something is dragged; then again what they showed, or what comes.
class Follow {
  constructor(host, tell) {
    host.hidden = true;
    page.follow = tell;
  }

  update({ photograph, pictures, answered }) {
    if (photograph) {
      takePhotograph(photograph);
      for (const picture of pictures) page.deck?.fillNow(picture.slot, picture);
      moving.arrived(answered);
    } else if (this.followed) {
      takePhotograph(page.photograph);
      for (const [name, data] of waitingMaps) page.deck?.fillNow(name, data);
    }
    this.followed = Boolean(photograph);
  }

  dispose() {}
}

class Address {
  constructor(host) {
    host.hidden = true;
  }

  update({ values }) {
    setTimeout(() => { document.body.dataset.arrived = ""; }, SETTLING);
    address.set(this, values);
    writeAddress();
  }

  dispose() {
    address.delete(this);
  }
}

const KINDS = {
  deck: Deck, photograph: Shown, follow: Follow, map: SlotMap, stages: StagePictures, instead: SlotMap, pane: Pane, channels: Channels, rows: Rows, curves: Curves, strip: Strip,
  actions: Actions, address: Address, claim: Claim, look: Look, opener: Opener, onward: Onward, cutter: Cutter, cut: Cut,
};
const WATCH = 400; // ms
const SETTLING = 300; // ms from the end of a page until its elements have their heights

const mounted = new WeakMap(); // element to its part
const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLE);

function mount({ data, parentElement, setTriggerValue }) {
  const root = parentElement.getRootNode();
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
  const host = parentElement.querySelector(".part");
  const one = mounted.get(host) ?? {};
  one.setTriggerValue = setTriggerValue;
  if (!one.part) {
    mounted.set(host, one);
    one.part = new KINDS[data.part](host, (name, value) => one.setTriggerValue(name, value));
  }
  one.part.update(data);
  return () => {
    if (host.isConnected) return; // called too for a call that a newer one has overtaken
    one.part.dispose();
  };
}

setInterval(writeAddress, WATCH);
const program = (globalThis.effnetViz ??= {});
program.mount = mount;
for (const wake of program.waiting ?? []) wake();
program.waiting = [];

export default function () {} // nothing to see where the program was brought
