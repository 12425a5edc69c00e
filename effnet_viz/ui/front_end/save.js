// A picture as a PNG file: the map over the photograph, under it the colour bar and the caption.

const HATCH = 6; // width of a stripe of the unseen part in pixels of the photograph, as in pictures/render.py

async function saveFile(pane) {
  const { bar, low, high } = pane.under;
  const sheet = captioned(picture(pane), pane.map && bar, [low.textContent, high.textContent],
    captionLines(pane.data.caption, pane.map), pane.stamp);
  const blob = await new Promise((resolve) => { sheet.toBlob(resolve, "image/png"); });
  const link = element("a", { href: URL.createObjectURL(blob), download: pane.data.file });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// What a pane shows at zoom 1, in the photograph's pixels.
function picture({ data, whole, seen, map, photograph, changed: covered, heat, lines }) {
  const { width, height } = data.photograph;
  const canvas = element("canvas", { width: whole.width, height: whole.height });
  const context = canvas.getContext("2d");
  context.translate(-whole.x, -whole.y);
  context.drawImage(photograph, 0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(0, 0, width, height);
  context.rect(seen.x, seen.y, seen.width, seen.height);
  context.clip("evenodd");
  context.fillStyle = context.createPattern(hatch(), "repeat");
  context.fillRect(0, 0, width, height);
  context.restore();
  if (data.picture) context.drawImage(covered, seen.x, seen.y, seen.width, seen.height);
  if (!map) return canvas;
  context.save();
  if (settings.divider !== null) {
    context.beginPath();
    context.rect(whole.x + (whole.width * settings.divider) / 100, 0, whole.width, 1e5);
    context.clip();
  }
  context.globalAlpha = settings.opacity / 100;
  context.drawImage(heat, seen.x, seen.y);
  context.globalAlpha = 1;
  if (!lines.hidden) context.drawImage(lines, seen.x, seen.y);
  context.restore();
  return canvas;
}

// The stripes of render.hide_unseen: three quarters of two greys.
function hatch() {
  const canvas = element("canvas", { width: 2 * HATCH, height: 2 * HATCH });
  const context = canvas.getContext("2d");
  for (let y = 0; y < 2 * HATCH; y += 1) {
    for (let x = 0; x < 2 * HATCH; x += 1) {
      context.fillStyle = Math.floor((x + y) / HATCH) % 2 ? "rgb(97 97 97 / 75%)" : "rgb(140 140 140 / 75%)";
      context.fillRect(x, y, 1, 1);
    }
  }
  return canvas;
}

function captioned(picture, bar, ends, lines, stamp) {
  const width = Math.max(picture.width, 640);
  const height = Math.round((picture.height * width) / picture.width);
  const size = Math.round(width / 46);
  const step = Math.round(size * 1.6);
  const sheet = element("canvas", { width });
  const context = sheet.getContext("2d");
  context.font = `${size}px sans-serif`;
  const wrapped = lines.flatMap((line) => wrap(context, line, width - 2 * size));
  sheet.height = height + step * (wrapped.length + (bar ? 2 : 1));
  context.fillStyle = "white";
  context.fillRect(0, 0, width, sheet.height);
  context.drawImage(picture, 0, 0, width, height);
  Object.assign(context, { font: `${size}px sans-serif`, fillStyle: "black", textBaseline: "middle" });
  let y = height + step;
  if (bar) {
    context.drawImage(bar, width / 4, y - size / 2, width / 2, size);
    context.textAlign = "right";
    context.fillText(ends[0], width / 4 - size, y);
    context.textAlign = "left";
    context.fillText(ends[1], (width * 3) / 4 + size, y);
    y += step;
  }
  for (const line of wrapped) {
    context.fillText(line, size, y);
    y += step;
  }
  if (!stamp.hidden) {
    context.fillStyle = getComputedStyle(stamp).backgroundColor;
    context.fillRect(0, height - 2 * step, width, 2 * step);
    Object.assign(context, { fillStyle: "white", textAlign: "center", font: `bold ${1.6 * size}px sans-serif` });
    context.fillText(stamp.textContent, width / 2, height - step);
  }
  return sheet;
}

function wrap(context, text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
