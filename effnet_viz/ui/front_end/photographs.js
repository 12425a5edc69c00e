// A visitor's own photographs: on their way to the server, and kept for a reload in this browser
// alone, under a random name of this tab. They go with the tab, or when one says so.

const LEFT = 15_000; // ms after which a tab that was closed does not come back
const SILENT = 10 * 60_000; // ms after which a tab that says nothing has crashed
const SIGN_OF_LIFE = 30_000; // ms
const LOOK_AGAIN = 50; // ms
const ASK_AGAIN = [4_000, 8_000, 16_000]; // ms until the field shows the files
const RECOVERY = 2_000; // ms that a connection has to come back

const sending = []; // files on their way: the server's answer says which it has taken

let turn = Promise.resolve(); // one after the other: the field does not say which files are whose

// Gives those that could not be sent.
function sendPhotographs(files) {
  const sent = turn.then(() => send(files));
  turn = sent.catch(() => {});
  return sent;
}

// Where the field shows nothing of the files after a while, its request for their places was lost:
// the server forgets its answer when a run of the page begins at that moment.
async function send(files) {
  const before = shownFiles().map(nameOf);
  let rest = files;
  for (const patience of ASK_AGAIN) {
    const input = await uploader();
    const shown = count(platform.files);
    const carried = new DataTransfer();
    for (const file of rest) carried.items.add(file);
    input.files = carried.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    if (!await showsMore(input.closest(platform.field), shown, patience)) continue;
    await until(() => !count(platform.arriving), SILENT);
    if (leftFields.has(input)) continue; // they are lost, or the server has them and knows them again
    takeOutSurplus(files, before);
    const failed = takeOutFailed();
    rest = rest.filter(({ name }) => failed.includes(name));
    if (!rest.length) return [];
    await new Promise((resolve) => setTimeout(resolve, RECOVERY));
  }
  return rest;
}

// Whether the field has more files than that in time; it may show them for a moment only, when the
// page that they lead to is a mistake of ours.
function showsMore(field, shown, patience) {
  return new Promise((resolve) => {
    const watch = new MutationObserver(() => { if (count(platform.files) > shown) end(true); });
    const timer = setTimeout(() => end(false), patience);
    const end = (found) => {
      watch.disconnect();
      clearTimeout(timer);
      resolve(found);
    };
    watch.observe(field, { childList: true, subtree: true });
  });
}

function takeOutFailed() {
  const failed = [...document.querySelectorAll(platform.failed)];
  for (const file of failed) file.querySelector(platform.removeFile).click();
  return failed.map(nameOf);
}

// An answer that was late and not lost has brought the files twice.
function takeOutSurplus(files, before) {
  for (const name of new Set(files.map((file) => file.name))) {
    const wanted = [...before, ...files.map((file) => file.name)].filter((one) => one === name).length;
    const shown = shownFiles().filter((file) => nameOf(file) === name);
    for (const file of shown.slice(wanted)) file.querySelector(platform.removeFile).click();
  }
}

function nameOf(file) {
  return file.querySelector(platform.fileName).title;
}

function shownFiles() {
  return [...document.querySelectorAll(platform.files)];
}

// The field of the page that one is on. Its code may come after ours on a slow line.
async function uploader() {
  const field = () => document.querySelector(platform.uploader);
  await until(() => field() && !leftFields.has(field()), Infinity);
  return field();
}

// Fields of pages that one has left. They stay until the next page comes and take files in vain;
// those that would arrive meanwhile would call their page back.
const leftFields = new WeakSet();
function leaveFields() {
  for (const field of document.querySelectorAll(platform.uploader)) leftFields.add(field);
  for (const cancel of document.querySelectorAll(platform.cancelFile)) cancel.click();
}

function count(selector) {
  return document.querySelectorAll(selector).length;
}

async function until(test, patience) {
  const end = performance.now() + patience;
  while (!test()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
  }
  return true;
}

// Files that reach the uploader by any way.
document.addEventListener("change", ({ target }) => {
  if (target instanceof HTMLInputElement && target.matches(platform.uploader)) {
    sending.push(...[...target.files].filter((file) => !sending.includes(file)));
  }
}, true);

function tabName() {
  const key = "effnet-viz tab";
  try {
    const known = sessionStorage.getItem(key);
    if (known) return known;
    const name = [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("");
    sessionStorage.setItem(key, name);
    return name;
  } catch { // a browser that keeps nothing
    return null;
  }
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

// Photographs {tab, key, name, size, file} and signs of life {tab, seen, left} in IndexedDB. Where
// a browser has none (some do, in private windows), a reload forgets.
class Shelf {
  constructor() {
    this.tab = tabName();
    this.opened = this.tab ? this.open().catch(() => null) : Promise.resolve(null);
  }

  async open() {
    const request = indexedDB.open("effnet-viz", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("photographs", { keyPath: ["tab", "key"] });
      request.result.createObjectStore("tabs", { keyPath: "tab" });
    };
    const base = await done(request);
    await this.clean(base);
    const live = (left) => base.transaction("tabs", "readwrite").objectStore("tabs").put({ tab: this.tab, seen: Date.now(), left });
    live(false);
    setInterval(live, SIGN_OF_LIFE, false);
    addEventListener("pagehide", () => live(true));
    addEventListener("pageshow", () => live(false));
    return base;
  }

  // Forgets photographs of tabs that are gone.
  async clean(base) {
    const change = base.transaction(["photographs", "tabs"], "readwrite");
    const [photographs, tabs] = ["photographs", "tabs"].map((name) => change.objectStore(name));
    const living = new Set([this.tab]);
    for (const { tab, seen, left } of await done(tabs.getAll())) {
      if (tab !== this.tab && Date.now() - seen > (left ? LEFT : SILENT)) tabs.delete(tab);
      else living.add(tab);
    }
    for (const key of await done(photographs.getAllKeys())) if (!living.has(key[0])) photographs.delete(key);
  }

  async store(mode) {
    const base = await this.opened;
    return base?.transaction("photographs", mode).objectStore("photographs");
  }

  async all() {
    const store = await this.store("readonly");
    if (!store) return [];
    const found = await done(store.getAll(IDBKeyRange.bound([this.tab], [this.tab, []])));
    return found.sort((one, other) => numberOf(one.key) - numberOf(other.key));
  }

  async keep(key, file) {
    const store = await this.store("readwrite");
    await store?.put({ tab: this.tab, key, name: file.name, size: file.size, file });
  }

  async forget(keys) {
    const store = await this.store("readwrite");
    for (const key of keys) store?.delete([this.tab, key]);
  }
}

function numberOf(key) {
  return Number(key.replace(/\D/g, ""));
}

const shelf = new Shelf();
let giving = []; // photographs that are on their way back, or did not arrive there
let told = ""; // the server's session that knows what this tab keeps

// Keeps what the server has taken of this tab's photographs and forgets others. A session that has
// none (after a reload) hears which there are, if any or if it waits for one, and gets them back
// when it knows their keys. Gives those that could not be sent: the tab has them until the next time.
async function agreeWith({ session, own, waits, coming }, tell) {
  if (told !== session) {
    told = session;
    const kept = await shelf.all();
    if (!own.length) {
      giving = kept;
      if (kept.length || waits) tell("kept", kept.map(({ key, name, size }) => [key, name, size]));
      return [];
    }
  }
  const back = giving.filter(({ key, state }) => coming.includes(key) && !state);
  if (back.length) {
    for (const one of back) Object.assign(one, { state: "under way", again: asFile(one) });
    const failed = await sendPhotographs(back.map(({ again }) => again));
    for (const one of back) one.state = failed.includes(one.again) ? "failed" : "sent";
    if (failed.length) tell("kept", []);
    return failed;
  }
  if (!own.length && giving.some(({ state }) => !state)) return []; // the server has not heard of them yet
  const keys = own.map(({ key }) => key);
  giving = giving.filter(({ state }) => state !== "sent");
  const kept = await shelf.all();
  const wanted = [...keys, ...giving.map(({ key }) => key)];
  await shelf.forget(kept.map(({ key }) => key).filter((key) => !wanted.includes(key)));
  for (const { key, name, size } of own) {
    if (kept.some((one) => one.key === key)) continue;
    const at = sending.findIndex((file) => file.name === name && file.size === size);
    if (at >= 0) await shelf.keep(key, sending.splice(at, 1)[0]);
  }
  return [];
}

function asFile({ file, name }) {
  return file instanceof File ? file : new File([file], name);
}

function isBringingBack() {
  return giving.some(({ state }) => state === "under way");
}

function forgetKept() {
  giving = [];
}
