// Runs in a page before its own code. SELECTOR stands above it.
window.firstVisit = { shown: null, shifts: [] };

// The part of the page that a shifted node belongs to, as one finds it in a style sheet.
function nameOf(node) {
  const element = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
  if (!element) return "something in a component, or gone";
  const own = element.dataset.testid ?? element.classList[0];
  const name = element.localName + (own ? `.${own}` : "");
  const around = element.parentElement?.closest("[class*=st-key-], [data-testid]");
  const key = around && [...around.classList].find((word) => word.startsWith("st-key-"));
  return around ? `${name} in ${key ?? around.dataset.testid}` : name;
}

function moved({ node, previousRect: before, currentRect: after }) {
  const place = ({ x, y, width, height }) => `${[x, y, width, height].map(Math.round)}`;
  return `${nameOf(node)} (${place(before)} → ${place(after)})`;
}

new PerformanceObserver((list) => {
  for (const { hadRecentInput, value, startTime, sources } of list.getEntries()) {
    if (!hadRecentInput) {
      window.firstVisit.shifts.push({ value, at: startTime, sources: sources.map(moved) });
    }
  }
}).observe({ type: "layout-shift", buffered: true });

function isShownIn(root) {
  for (const element of root.querySelectorAll(SELECTOR)) {
    const { width, height } = element.getBoundingClientRect();
    if (width > 0 && height > 0) return true;
  }
  return [...root.querySelectorAll("*")].some(
    ({ shadowRoot }) => shadowRoot && isShownIn(shadowRoot),
  );
}

function look(now) {
  if (isShownIn(document)) window.firstVisit.shown = now;
  else requestAnimationFrame(look);
}
requestAnimationFrame(look);
