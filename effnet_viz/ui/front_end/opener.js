// A button that opens a block of the page below itself. The block stays on the page while it is
// closed (page.css hides it): in the platform's own popover, widgets miss what the server sets meanwhile.

class Opener {
  constructor(host) {
    this.host = host;
    this.text = element("span");
    this.button = button("", () => this.show(!this.isOpen), { look: "opener" }, this.text, icon("down"));
    this.button.setAttribute("aria-expanded", "false");
    host.replaceChildren(this.button);
    this.listeners = { pointerdown: (event) => this.press(event), keydown: (event) => this.key(event) };
    for (const [name, listener] of Object.entries(this.listeners)) document.addEventListener(name, listener, true);
  }

  update({ text, opens }) {
    this.text.textContent = text;
    this.name = opens;
  }

  get isOpen() {
    return document.body.dataset.opened === this.name;
  }

  show(open) {
    document.body.dataset.opened = open ? this.name : "";
    this.button.setAttribute("aria-expanded", String(open));
  }

  press(event) {
    const isOwn = (node) => node === this.host || node.matches?.(`${platform.block(this.name)}, ${platform.overBlock}`);
    if (this.isOpen && !event.composedPath().some(isOwn)) this.show(false);
  }

  key(event) {
    if (event.key !== "Escape" || !this.isOpen) return;
    if (document.activeElement?.getAttribute("aria-expanded") === "true") return; // a list in the block
    event.stopPropagation();
    this.show(false);
    this.button.focus();
  }

  dispose() {
    for (const [name, listener] of Object.entries(this.listeners)) document.removeEventListener(name, listener, true);
    if (this.isOpen) this.show(false);
  }
}
