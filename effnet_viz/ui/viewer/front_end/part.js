// A part of the viewer: waits for its code, which comes with the toolbar.

const viewer = (globalThis.effnetVizViewer ??= {});

export default async function (mount) {
  viewer.waiting ??= [];
  if (!viewer.show) await new Promise((resolve) => { viewer.waiting.push(resolve); });
  return viewer.show(mount);
}
