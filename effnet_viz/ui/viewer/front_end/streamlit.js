// The only file, with streamlit_part.js, that knows Streamlit: all others speak of host elements,
// update(data), dispose() and tell(name, value).
//
// In: mount() is called for a part of the page, and again whenever its data change:
//   data             what effnet_viz/ui/viewer sends; data.part names the kind of part
//   parentElement    in a shadow root, with the element of class "part" that the part fills
//   setTriggerValue  tells the server
//   --st-…           the theme
// Out, as tell(name, value), each of which runs the page again:
//   toolbar   "box" [left, top, right, bottom]; "step" ["stage" or "model", 1 or -1];
//             "move" [x, y, done, number], places in fractions of the photograph
//   channels  "clicked" channel
// The page's address: state.js reads and writes it as any page would. Streamlit writes it too, from
// what the server knew before, so that it is put right again while there is a toolbar.

const KINDS = { toolbar: Toolbar, pane: Pane, channels: Channels };
const THEME = ["text-color", "background-color", "secondary-background-color", "primary-color", "border-color",
  "base-radius", "font"].map((name) => `--${name}: var(--st-${name});`).join(" ");
const WATCH = 400; // ms

const mounted = new WeakMap(); // element to its part
const sheet = new CSSStyleSheet();
sheet.replaceSync(`:host { ${THEME} } ${STYLE}`);
document.head.append(element("style", {}, PRESENTING_STYLE + STREAMLIT_STYLE));

function create(host, kind) {
  const one = { part: new KINDS[kind](host, (name, value) => one.setTriggerValue(name, value)) };
  if (kind === "toolbar") one.watch = setInterval(writeAddress, WATCH);
  mounted.set(host, one);
  return one;
}

function mount({ data, parentElement, setTriggerValue }) {
  const root = parentElement.getRootNode();
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
  const host = parentElement.querySelector(".part");
  const one = mounted.get(host) ?? create(host, data.part);
  one.setTriggerValue = setTriggerValue;
  one.part.update(data);
  return () => {
    if (host.isConnected) return; // called too for a call that a newer one has overtaken
    clearInterval(one.watch);
    one.part.dispose();
  };
}

const viewer = (globalThis.effnetVizViewer ??= {});
viewer.mount = mount;
for (const wake of viewer.waiting ?? []) wake();
viewer.waiting = [];

export default function () {} // nothing to see where the code was brought
