// The way in. This code comes into the page once; the parts (part.js) find it through
// globalThis.effnetVizViewer and share its state.

const KINDS = { toolbar: Toolbar, pane: Pane, channels: Channels };
const mounted = new WeakMap();
const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLE);
document.head.append(element("style", {}, PRESENTING_STYLE));

function show({ data, parentElement, setTriggerValue }) {
  const root = parentElement.getRootNode();
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
  const host = parentElement.querySelector(".part");
  let part = mounted.get(host);
  if (!part) {
    part = new KINDS[data.part](host);
    mounted.set(host, part);
  }
  part.update(data, setTriggerValue);
  parts.add(part);
  // Streamlit also calls this for a call that a newer one has overtaken.
  return () => { if (!host.isConnected) part.dispose(); };
}

const viewer = (globalThis.effnetVizViewer ??= {});
viewer.show = show;
for (const wake of viewer.waiting ?? []) wake();
viewer.waiting = [];

export default function () {} // nothing to see where the code was brought
