// A visitor's own photographs: on their way to the server, and kept for a reload in this browser
// alone, under a random name of this tab. They go with the tab, or when one says so.

const LEFT = 15_000; // ms after which a tab that was closed does not come back
const SILENT = 10 * 60_000; // ms after which a tab that says nothing has crashed
const SIGN_OF_LIFE = 30_000; // ms
const LOOK_AGAIN = 50; // ms

const sending = []; // files on their way: the server's answer says which it has taken

function sendPhotographs(files) {
  const input = document.querySelector(platform.uploader);
  if (!input || !files.length) return false;
  const carried = new DataTransfer();
  for (const file of files) carried.items.add(file);
  input.files = carried.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

// Its code may come after ours on a slow line.
async function uploader() {
  while (!document.querySelector(platform.uploader)) await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
}

// Files that reach the uploader by any way.
document.addEventListener("change", ({ target }) => {
  if (target instanceof HTMLInputElement && target.matches(platform.uploader)) sending.push(...target.files);
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
let giving = []; // keys of photographs that are on their way back
let told = ""; // the server's session that knows what this tab keeps

// Keeps what the server has taken of this tab's photographs and forgets others. A session that has
// none (after a reload) gets them back; if it waits for one, it hears also that there are none.
async function agreeWith({ session, own, waits }, tell) {
  if (told !== session) {
    told = session;
    const kept = await shelf.all();
    if (!own.length) {
      giving = kept.map(({ key }) => key);
      if (kept.length || waits) tell("kept", kept.map(({ key, name, size }) => [key, name, size]));
      if (kept.length) await uploader();
      sendPhotographs(kept.map(({ file, name }) => (file instanceof File ? file : new File([file], name))));
      return;
    }
  }
  const keys = own.map(({ key }) => key);
  giving = giving.filter((key) => !keys.includes(key));
  const kept = await shelf.all();
  await shelf.forget(kept.map(({ key }) => key).filter((key) => !keys.includes(key) && !giving.includes(key)));
  for (const { key, name, size } of own) {
    if (kept.some((one) => one.key === key)) continue;
    const at = sending.findIndex((file) => file.name === name && file.size === size);
    if (at >= 0) await shelf.keep(key, sending.splice(at, 1)[0]);
  }
}
