// The wall of channels: small maps to click. Pointing at a picture outlines the channels that are
// strongest at that place.

const TILE_SIDE = 168; // pixels of a tile: every one has the colour of its nearest cell

class Channels {
  constructor(host, tell) {
    this.tell = tell;
    this.grid = element("div", {
      class: "channels", role: "group",
      onclick: (event) => this.click(event), onkeydown: (event) => this.key(event),
    });
    this.reading = element("output", { class: "reading", "aria-live": "off" });
    host.replaceChildren(this.grid, this.reading);
  }

  update(data) {
    this.data = data;
    this.levels = bytesOf(data.levels); // uint8 (tiles, rows, columns), each over its own range
    this.strongest = new Uint16Array(bytesOf(data.strongest.channels).buffer); // (rows, columns, count)
    this.grid.setAttribute("aria-label", data.label);
    const before = this.tiles ?? [];
    this.tiles = data.tiles.map((tile, i) => before[i] ?? this.createTile());
    this.tiles.forEach((tile, i) => this.fill(tile, data.tiles[i]));
    this.grid.replaceChildren(...this.tiles.map((tile) => tile.button));
    this.stopAt(this.tiles[0]?.button);
    this.drawn = "";
    changed(EVERYTHING);
    parts.add(this);
  }

  createTile() {
    const [canvas, title, caption, badge] = ["canvas", "span", "span", "span"].map((tag) => element(tag));
    title.className = "title";
    caption.className = "detail";
    badge.className = "badge";
    canvas.setAttribute("aria-hidden", "true");
    return { button: element("button", { type: "button" }, canvas, badge, title, caption), canvas, title, caption, badge };
  }

  fill(tile, { channel, caption }) {
    tile.button.dataset.key = channel;
    tile.title.textContent = `#${channel}`;
    tile.caption.textContent = caption;
    tile.badge.textContent = this.data.badge;
    const name = `Channel ${channel} of stage ${this.data.stage}`;
    tile.button.setAttribute("aria-label", [name, caption, this.data.badge].filter(Boolean).join(", "));
  }

  dispose() {
    parts.delete(this);
  }

  draw(changes) {
    if (!this.data) return;
    if (changes & COLOURS) this.drawTiles();
    this.drawPointer();
  }

  drawTiles() {
    const lut = luts.sequential.get("viridis");
    const drawn = settings.scale === "own" ? "own" : "shared";
    if (!lut || drawn === this.drawn) return;
    this.drawn = drawn;
    const { rows, columns, tiles, common } = this.data;
    const size = rows * columns;
    tiles.forEach(({ low, high }, i) => {
      const { canvas } = this.tiles[i];
      Object.assign(canvas, { width: TILE_SIDE, height: TILE_SIDE });
      const values = Float32Array.from(
        this.levels.subarray(i * size, (i + 1) * size), (level) => low + ((high - low) * level) / 255);
      const own = high > low ? [low, high] : [low, low + 1];
      const levels = levelsOf(values, drawn === "own" ? own : common);
      const placed = enlargeCells(levels, this.data, TILE_SIDE, TILE_SIDE);
      paint(canvas, (rgba) => lookUp(placed, lut, rgba));
    });
  }

  drawPointer() {
    const point = pinned() ?? shared.pointer;
    const strongest = point ? this.strongestAt(point) : [];
    const names = strongest.join(", #");
    if (names === this.names) return;
    this.names = names;
    for (const { button } of this.tiles) {
      const rank = strongest.indexOf(Number(button.dataset.key));
      button.classList.toggle("strongest", rank >= 0);
    }
    const absent = strongest.filter((c) => !this.data.tiles.some(({ channel }) => channel === c));
    this.reading.textContent = !names ? WORDS.point_for_channels
      : `${WORDS.strongest_here} #${names}${absent.length ? ` (${WORDS.on_other_pages})` : ""}`;
  }

  strongestAt(point) {
    const { columns, count } = this.data.strongest;
    const cell = cellAt(point, this.data.box, this.data.strongest);
    if (!cell) return [];
    const start = (cell.row * columns + cell.column) * count;
    return [...this.strongest.subarray(start, start + count)];
  }

  click(event) {
    const button = event.target.closest("button");
    if (!button) return;
    this.stopAt(button);
    this.tell("clicked", Number(button.dataset.key));
  }

  // One stop for the Tab key; the arrow keys move within the wall.
  stopAt(stop) {
    for (const { button } of this.tiles) button.tabIndex = button === stop ? 0 : -1;
  }

  key(event) {
    const buttons = this.tiles.map(({ button }) => button);
    const perRow = buttons.filter(({ offsetTop }) => offsetTop === buttons[0].offsetTop).length;
    const next = moveByKeys(event, buttons, perRow);
    if (next) this.stopAt(next);
  }
}
