// What Streamlit loads for each part of the viewer: waits for the code, which comes once to a page.

const viewer = (globalThis.effnetVizViewer ??= {});

export default async function (call) {
  viewer.waiting ??= [];
  if (!viewer.mount) await new Promise((resolve) => { viewer.waiting.push(resolve); });
  return viewer.mount(call);
}
