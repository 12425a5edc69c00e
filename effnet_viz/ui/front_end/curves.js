// Small charts of one curve a network, in the networks' colours; the numbers stand beside them.

const CHART = { width: 300, height: 84 }; // in units of its own

class Curves {
  constructor(host) {
    this.root = element("div", { class: "curves" });
    host.replaceChildren(this.root);
  }

  // Values are shares of a common top, 0 to 1, at equal distances.
  update({ charts }) {
    this.root.replaceChildren(...charts.map(({ caption, label, lines }) => {
      const svg = svgElement("svg", { viewBox: `0 0 ${CHART.width} ${CHART.height}`, preserveAspectRatio: "none", role: "img", "aria-label": label });
      svg.append(svgElement("path", { d: `M0,${CHART.height - 0.5}H${CHART.width}`, class: "base" }));
      for (const { colour, values } of lines) {
        const points = values.map((value, i) =>
          `${(i * CHART.width) / (values.length - 1)},${1 + (1 - value) * (CHART.height - 2)}`);
        svg.append(svgElement("polyline", { points: points.join(" "), style: `--net: var(--net-${colour})` }));
      }
      return element("figure", {}, svg, element("figcaption", { class: "quiet" }, caption));
    }));
  }

  dispose() {}
}
