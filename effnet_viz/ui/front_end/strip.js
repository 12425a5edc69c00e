// The strip on top of every page: where one is, photographs, a camera; and at its end what concerns
// the whole page.

// What somebody has added and the server has not taken yet, whatever page the strip is on.
const outbox = {
  strip: null,
  underWay: [], // files
  unsent: [], // sentences about files that never reached the server
  show() {
    this.strip?.showHint();
    this.strip?.showProblems();
  },
};

class Strip {
  constructor(host, tell) {
    outbox.strip = this;
    this.tell = tell;
    this.skip = button(WORDS.to_the_maps, skipToMaps, { look: "skip" });
    this.name = element("span", { class: "page" });
    this.brand = button("", null, { look: "plain brand" }, icon("menu"), element("b", {}, "effnet-viz"), this.name);
    this.list = element("nav", { "aria-label": WORDS.pages });
    this.forget = button(WORDS.forget, () => { this.menu.close(); forgetKept(); tell("forget", 1); }, { look: "plain", title: WORDS.forget_title }, icon("bin"));
    this.menu = new Popup(this.brand, WORDS.pages, this.list, this.forget);
    this.rule = element("span", { class: "rule" });
    this.thumbs = element("div", {
      class: "thumbs", role: "radiogroup", "aria-label": WORDS.photograph,
      onkeydown: (event) => moveByKeys(event, this.buttons),
    });
    this.current = element("img", { alt: "" });
    this.title = element("span", { class: "name" });
    this.chooser = button("", null, { look: "plain photo" }, this.current, this.title, icon("down"));
    this.all = element("div", { class: "all" });
    this.sheet = new Popup(this.chooser, WORDS.photograph, this.all);
    this.remove = button("", () => tell("remove", this.data.chosen), { look: "plain icon", label: WORDS.remove, title: WORDS.remove }, icon("bin"));
    this.input = element("input", { type: "file", multiple: "", tabindex: "-1", class: "hidden", "aria-hidden": "true", onchange: () => this.send(this.input) });
    this.shot = element("input", { type: "file", accept: "image/*", capture: "environment", tabindex: "-1", class: "hidden", "aria-hidden": "true", onchange: () => this.send(this.shot) });
    this.add = button("", () => this.input.click(), { look: "add", title: WORDS.add_title }, icon("plus"), element("span", {}, WORDS.photo));
    this.hint = element("span", { class: "hint", role: "status" });
    this.camera = button("", () => this.takePhotograph(), { look: "plain icon", label: WORDS.camera, title: WORDS.camera }, icon("camera"));
    this.problems = element("div", { class: "problems", role: "alert" });
    this.zone = element("div", { class: "zone", "aria-hidden": "true" }, element("p", {}, WORDS.drop_here));
    this.photographs = element("div", { class: "photographs" }, this.thumbs, this.chooser, this.remove, this.add, this.hint, this.camera);
    host.replaceChildren(element("div", { class: "strip" }, this.skip, this.brand, this.rule, this.photographs, this.input, this.shot),
      this.menu.panel, this.sheet.panel, this.problems, this.zone);
    this.buttons = [];
    this.listeners = {
      dragover: (event) => this.drag(event, true), dragleave: (event) => this.drag(event, event.relatedTarget !== null),
      drop: (event) => this.drop(event), paste: (event) => this.paste(event),
    };
    listen(document, this.listeners);
  }

  update(data) {
    this.data = data;
    this.name.textContent = data.page;
    this.brand.setAttribute("aria-label", `effnet-viz, ${data.page}: ${WORDS.pages}`);
    this.list.replaceChildren(...data.pages.map((page) => this.link(page)));
    const own = data.photographs.filter(({ file }) => file);
    this.forget.hidden = !own.length && !giving.length;
    this.photographs.hidden = this.rule.hidden = !data.photographs.length;
    this.skip.hidden = !data.maps;
    this.input.accept = data.accept;
    this.buttons = data.photographs.map((one) => this.thumb(one));
    const focused = this.thumbs.contains(this.thumbs.getRootNode().activeElement);
    this.thumbs.replaceChildren(...this.buttons);
    this.all.replaceChildren(...data.photographs.map((one) => this.line(one)));
    const chosen = data.photographs.find(({ key }) => key === data.chosen);
    if (chosen) {
      this.current.src = chosen.source;
      this.title.textContent = chosen.title;
      this.chooser.setAttribute("aria-label", `${WORDS.photograph}: ${chosen.title}`); // the title may have no room
      const at = this.buttons[data.photographs.indexOf(chosen)];
      this.thumbs.scrollLeft = at.offsetLeft - this.thumbs.clientWidth + at.clientWidth + 60;
      if (focused) at.focus({ preventScroll: true });
    }
    this.remove.hidden = !chosen?.file;
    this.showProblems();
    if (data.photographs.length) {
      const sent = own.map(({ key, file: [name, size] }) => ({ key, name, size }));
      agreeWith({ session: data.session, own: sent, waits: !data.chosen, coming: data.coming }, this.tell)
        .then((failed) => this.report(failed));
      this.showHint();
    }
  }

  dispose() {
    for (const [name, listener] of Object.entries(this.listeners)) document.removeEventListener(name, listener);
  }

  link({ path, title, line, current }) {
    const attributes = { before: () => this.menu.close(), "aria-current": current ? "page" : undefined };
    return pageLink(path, attributes, element("b", {}, title), element("span", { class: "quiet small" }, line));
  }

  choose(key) {
    this.sheet.close();
    outbox.unsent = [];
    this.showProblems();
    if (key !== this.data.chosen) this.tell("photograph", key);
  }

  thumb({ key, title, description, source }) {
    const chosen = key === this.data.chosen;
    return element("button", {
      type: "button", class: "thumb", role: "radio", "aria-checked": String(chosen), title, "aria-label": description,
      "data-key": key, tabindex: chosen ? "0" : "-1", onclick: () => this.choose(key),
    }, element("img", { src: source, alt: "", draggable: "false" }));
  }

  line({ key, title, source, file }) {
    const choose = element("button", {
      type: "button", class: "plain", "aria-pressed": String(key === this.data.chosen), onclick: () => this.choose(key),
    }, element("img", { src: source, alt: "" }), element("span", { class: "name" }, title));
    const remove = button("", () => { this.sheet.close(); this.tell("remove", key); }, { look: "plain icon", label: `${WORDS.remove}: ${title}` }, icon("bin"));
    return element("div", { class: "line" }, choose, ...(file ? [remove] : []));
  }

  send(input) {
    this.take([...input.files]);
    input.value = "";
  }

  async take(files) {
    if (!this.data.photographs.length || !files.length) return;
    const fits = files.filter(({ size }) => size <= this.data.limit.bytes);
    outbox.unsent = files.filter((file) => !fits.includes(file)).map(({ name }) => `${name}: ${this.data.limit.beyond}`);
    outbox.underWay.push(...fits);
    outbox.show();
    if (!fits.length) return;
    const failed = await sendPhotographs(fits);
    outbox.underWay = outbox.underWay.filter((file) => !fits.includes(file));
    this.report(failed);
  }

  report(failed) {
    outbox.unsent.push(...failed.map(({ name }) => `${name}: ${WORDS.not_sent}`));
    outbox.show();
  }

  showHint() {
    const [first, ...others] = outbox.underWay;
    const sending = first ? `${WORDS.sending} ${others.length ? others.length + 1 : first.name} …` : "";
    this.hint.textContent = sending || (isBringingBack() ? WORDS.bringing_back : WORDS.or_drop);
  }

  drag(event, over) {
    if (!this.data?.photographs.length || ![...event.dataTransfer.types].includes("Files")) return;
    if (event.target.closest?.(platform.field)) over = false;
    event.preventDefault();
    this.zone.classList.toggle("dragging", over);
  }

  drop(event) {
    this.drag(event, false);
    if (event.target.closest?.(platform.field)) return;
    if (event.dataTransfer.files.length) this.take([...event.dataTransfer.files]);
  }

  paste(event) {
    const files = [...(event.clipboardData?.files ?? [])].filter(({ type }) => type.startsWith("image/"));
    if (!files.length) return;
    event.preventDefault();
    this.take(files);
  }

  // On a phone, and where a page may not use the camera itself, the system's camera takes it.
  takePhotograph() {
    if (matchMedia("(pointer: coarse)").matches || !navigator.mediaDevices?.getUserMedia) this.shot.click();
    else new Camera(this.photographs, (file) => this.take([file]));
  }

  // Above the page: nothing moves.
  showProblems() {
    const problems = [...outbox.unsent, ...this.data.problems];
    if (String(problems) === this.shown) return;
    this.shown = String(problems);
    const close = button("", () => this.closeProblems(), { look: "plain icon", label: WORDS.close }, icon("close"));
    this.problems.replaceChildren(...(problems.length
      ? [element("ul", {}, ...problems.map((text) => element("li", {}, text))), close] : []));
  }

  closeProblems() {
    outbox.unsent = [];
    if (this.data.problems.length) this.tell("read", 1); // the same may happen again
    this.data = { ...this.data, problems: [] };
    this.showProblems();
  }
}

function skipToMaps() {
  const first = [...slots.values()].find(({ stage }) => stage.offsetParent) ?? null;
  if (first) first.stage.focus();
}

// A picture of what the camera shows, in a dialog.
class Camera {
  constructor(host, take) {
    this.video = element("video", { autoplay: "", playsinline: "", muted: "" });
    this.text = element("p", { class: "quiet" }, WORDS.camera_asks);
    const shoot = button(WORDS.take, () => this.shoot(take), { look: "main" });
    const leave = button(WORDS.cancel, () => this.dialog.close());
    this.dialog = element("dialog", { "aria-label": WORDS.camera, onclose: () => this.close() },
      this.video, this.text, element("div", { class: "group" }, shoot, leave));
    host.append(this.dialog);
    this.dialog.showModal();
    navigator.mediaDevices.getUserMedia({ video: true }).then((stream) => {
      this.stream = stream;
      this.video.srcObject = stream;
      this.text.textContent = "";
      if (!this.dialog.open) this.close();
    }, () => { this.text.textContent = WORDS.no_camera; });
  }

  async shoot(take) {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) return;
    const canvas = element("canvas", { width, height });
    canvas.getContext("2d").drawImage(this.video, 0, 0);
    const blob = await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", 0.92); });
    take(new File([blob], "camera.jpg", { type: "image/jpeg" }));
    this.dialog.close();
  }

  close() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.dialog.remove();
  }
}

// Share, Present and settings, at the other end of the strip.
class Actions {
  constructor(host, tell) {
    this.share = button("", () => tell("share", location.href), { look: "plain", title: WORDS.share_title }, icon("share"), element("span", {}, WORDS.share));
    this.present = button("", () => present(true), { look: "plain", title: WORDS.present_title }, icon("present"), element("span", {}, WORDS.present));
    // The platform's button, which would come before the page, is hidden: this one stands for it.
    this.settings = button("", () => document.querySelector(platform.menu)?.click(), { look: "plain icon", label: WORDS.settings, title: WORDS.settings }, icon("settings"));
    host.replaceChildren(element("div", { class: "actions" }, this.share, this.present, this.settings));
  }

  update({ maps }) {
    this.present.hidden = !maps;
    document.querySelector(platform.main)?.setAttribute("tabindex", "-1"); // no stop of its own
  }

  dispose() {}
}
