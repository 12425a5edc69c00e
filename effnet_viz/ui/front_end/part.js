// What Streamlit loads for each part of a page: waits for the program, which comes once to a page.

const program = (globalThis.effnetViz ??= {});

export default async function (call) {
  program.waiting ??= [];
  if (!program.mount) await new Promise((resolve) => { program.waiting.push(resolve); });
  return program.mount(call);
}
