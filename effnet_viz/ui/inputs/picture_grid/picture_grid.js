// Draws the pictures that __init__.py sends. Streamlit calls the default export again, with the
// same parentElement, whenever the data change; what is already there is updated in place.
// Text goes in through textContent and setAttribute only, never as HTML.

const SOURCE = /^data:image\/(?:webp|png|jpeg);base64,/; // __init__.py checks it too

const SETTLED = 250; // ms after which a picture is no longer passed by

const PARTS = ["badge", "title", "caption"];

function createButton(key) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("role", "radio");
  button.dataset.key = key;
  const image = document.createElement("img");
  image.draggable = false;
  const parts = PARTS.map((name) => {
    const part = document.createElement("span");
    part.className = name;
    return part;
  });
  button.append(image, ...parts);
  return button;
}

function updateButton(button, picture, chosen) {
  if (!SOURCE.test(picture.source)) {
    throw new Error(`Picture ${picture.key}: the source is not an image.`);
  }
  const image = button.querySelector("img");
  if (image.getAttribute("src") !== picture.source) image.setAttribute("src", picture.source);
  image.setAttribute("alt", picture.description);
  image.classList.toggle("pixelated", picture.pixelated);
  for (const name of PARTS) button.querySelector(`.${name}`).textContent = picture[name];
  const { title, caption, badge, description } = picture;
  const texts = [title, caption, badge, description].filter(Boolean);
  button.setAttribute("aria-label", texts.join(". "));
  button.setAttribute("aria-checked", String(chosen));
  button.setAttribute("title", [title, caption].filter(Boolean).join("\n")); // may be cut off below
}

// One stop for the Tab key; the arrow keys move within the group and choose what they come to.
function makeTabStop(buttons, stop) {
  for (const button of buttons) button.tabIndex = button === stop ? 0 : -1;
}

function neighbour(buttons, current, pressedKey) {
  const perRow = buttons.filter((button) => button.offsetTop === buttons[0].offsetTop).length;
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -perRow, ArrowDown: perRow };
  if (pressedKey === "Home") return buttons[0];
  if (pressedKey === "End") return buttons.at(-1);
  return buttons[buttons.indexOf(current) + steps[pressedKey]];
}

// Scrolls the row alone; scrollIntoView could move the page as well.
function reveal(row, button, behavior) {
  const before = button.offsetLeft - row.scrollLeft;
  const after = row.clientWidth - button.offsetWidth - before;
  if (before < 0 || after < 0) row.scrollBy({ left: (before - after) / 2, behavior });
}

export default function ({ data, parentElement, setTriggerValue }) {
  const grid = parentElement.querySelector(".grid");
  const root = grid.getRootNode();
  const focusedKey = grid.contains(root.activeElement) ? root.activeElement.dataset.key : undefined;
  const firstTime = !grid.hasChildNodes();

  grid.setAttribute("aria-label", data.label);
  grid.style.setProperty("--size", `${data.size}px`);
  grid.classList.toggle("scroll", data.scroll);

  const keys = new Set(data.pictures.map((picture) => picture.key));
  for (const button of [...grid.children]) if (!keys.has(button.dataset.key)) button.remove();
  const existing = new Map([...grid.children].map((button) => [button.dataset.key, button]));
  const buttons = data.pictures.map((picture, position) => {
    const button = existing.get(picture.key) ?? createButton(picture.key);
    updateButton(button, picture, picture.key === data.selected);
    if (grid.children[position] !== button) grid.insertBefore(button, grid.children[position] ?? null);
    return button;
  });

  const find = (key) => buttons.find((button) => button.dataset.key === key);
  const selected = find(data.selected);
  const stop = find(focusedKey) ?? selected ?? buttons[0];
  makeTabStop(buttons, stop);
  if (focusedKey !== undefined) stop?.focus({ preventScroll: true });

  if (data.scroll && selected && grid.dataset.revealed !== data.selected) {
    reveal(grid, selected, firstTime ? "instant" : "auto");
  }
  grid.dataset.revealed = data.selected ?? "";

  const choose = (button) => {
    clearTimeout(grid.passing);
    setTriggerValue("clicked", button.dataset.key);
  };
  grid.onclick = (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    makeTabStop(buttons, button);
    choose(button);
  };
  grid.onkeydown = (event) => {
    if (event.key === "Enter" && event.repeat) event.preventDefault(); // held down: one click
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = neighbour(buttons, event.target, event.key);
    if (!target) return;
    event.preventDefault();
    makeTabStop(buttons, target);
    target.focus();
    clearTimeout(grid.passing);
    grid.passing = setTimeout(choose, SETTLED, target);
  };
}
