// What a network answers, as rows to choose from; over them a sentence, and how sure to be of it.

class Rows {
  constructor(host, tell) {
    this.tell = tell;
    this.headline = element("h2");
    this.sentence = element("p");
    this.quiet = element("p", { class: "quiet small" });
    this.weak = element("div", { class: "weak", role: "note" });
    this.verdict = element("div", { class: "verdict" }, this.headline, this.sentence, this.quiet);
    this.rows = element("div", {
      class: "rows", role: "radiogroup", onkeydown: (event) => moveByKeys(event, this.buttons),
    });
    this.buttons = [];
    this.note = element("p", { class: "quiet small" });
    host.replaceChildren(this.verdict, this.weak, this.rows, this.note);
  }

  update(data) {
    const { headline, sentence, quiet, weak, label, rows, note } = data;
    this.data = data;
    this.headline.textContent = headline;
    this.sentence.textContent = sentence;
    this.quiet.textContent = quiet ?? "";
    this.showWeak(weak);
    this.rows.setAttribute("aria-label", label);
    const focused = this.buttons.indexOf(this.rows.getRootNode().activeElement);
    this.buttons = rows.map((row) => this.row(row));
    this.rows.replaceChildren(...this.buttons);
    if (focused >= 0) this.buttons[Math.min(focused, rows.length - 1)].focus({ preventScroll: true });
    this.note.textContent = note ?? "";
    this.note.hidden = !note;
  }

  row({ label, share, part, before, before_part, chosen }) {
    const first = this.data.rows.findIndex((row) => row.chosen);
    const earlier = before ? [element("small", {}, `${before} → `)] : [];
    const tick = before_part === undefined || before_part === null ? [] : [element("i", { style: `--was: ${before_part}` })];
    return element("button", {
      type: "button", role: "radio", "aria-checked": String(chosen), style: `--p: ${part}`,
      tabindex: chosen || (first < 0 && label === this.data.rows[0].label) ? "0" : "-1",
      onclick: () => this.tell("class", label),
    }, element("span", {}, label), element("span", {}, ...earlier, share), ...tick);
  }

  // Weak evidence is said in words and a shape, before one believes the colours.
  showWeak(weak) {
    this.weak.hidden = !weak;
    if (!weak) return;
    const same = button(weak.button, () => {
      if (settings.scale === "fixed") set("scale", SETTINGS.scale.initial);
      else lockAt(weak.ends);
      press();
    }, { pressed: false });
    const press = () => same.setAttribute("aria-pressed", String(settings.scale === "fixed"));
    press();
    this.weak.replaceChildren(icon("weak"), element("b", {}, weak.title), element("p", {}, weak.text), same);
  }

  dispose() {}
}
