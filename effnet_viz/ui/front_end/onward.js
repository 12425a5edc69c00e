// A button that asks the server for something and then opens another page. The server does not open
// it by itself: that would leave an entry of the history behind which nothing is.

class Onward {
  constructor(host, tell) {
    this.button = button("", () => tell("onward", 1));
    host.replaceChildren(this.button);
  }

  update({ text, path, open }) {
    this.button.textContent = text;
    if (open && !this.opened) platform.open(path);
    this.opened = open;
  }

  dispose() {}
}
