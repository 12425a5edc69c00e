// A part of the viewer besides its toolbar: waits for the code that the toolbar brings.

const viewer = (globalThis.effnetVizViewer ??= {});

export default async function (mount) {
  viewer.waiting ??= [];
  if (!viewer.show) await new Promise((resolve) => { viewer.waiting.push(resolve); });
  return viewer.show(mount);
}
