// The door: every scan has a key of its own, is sent at once, and is asked again with the same key until it is answered.
"use strict";

(() => {
  const page = document.querySelector("[data-scan]");
  const stage = document.getElementById("stage");
  const form = page.querySelector(".scan-form");
  const field = form.elements.code;
  const pendingNote = page.querySelector(".scan-pending");
  const counts = page.querySelector("[data-counts]");
  const address = page.dataset.scan;
  const { gate, user } = page.dataset;
  const { again, plain, show } = window.scanStage;

  // Milliseconds: until an answer counts as lost; until somebody is told to wait; for which a code that was just seen is
  // still the same one.
  const LOST = 5000;
  const PATIENCE = 400;
  const SAME = 1000;
  // Counters follow the last of several verdicts: who scans without a pause costs the server no count for each.
  const COUNT_PAUSE = 500;
  const KEPT = "scan pending";
  const GATE = "scan gate";
  const NOT_KNOWN = "The answer was lost. The server is asked again, and this is counted once.";

  // ---- The gate is remembered on this device.
  const chooser = page.querySelector(".scan-gate");
  if (chooser) {
    const select = chooser.elements.gate;
    chooser.querySelector("button").hidden = true;
    select.addEventListener("change", () => {
      write(localStorage, GATE, select.value);
      chooser.submit();
    });
    const remembered = read(localStorage, GATE);
    const isNew = !new URL(location.href).searchParams.has("gate") && !stage.querySelector("[data-at]");
    const isThere = [...select.options].some((option) => option.value === remembered);
    // Nothing is asked before that: its answer would be shown to nobody.
    if (remembered && isThere && isNew && !gate) return location.replace(`${address}?gate=${encodeURIComponent(remembered)}`);
  }

  // Storage may be full or forbidden: scans go on without it.
  function write(storage, name, text) {
    try {
      storage.setItem(name, text);
    } catch {
      // It is kept as long as the page is.
    }
  }

  function read(storage, name) {
    try {
      return storage.getItem(name);
    } catch {
      return null;
    }
  }

  // ---- Scans that are not answered yet, by their keys. They outlive this page, but not this tab.
  const pending = new Map();
  // Those that another user has sent: the server would count them once more for this one.
  const others = [];
  const retries = new Map();
  const asked = new Set();
  let counting;

  function keep() {
    write(sessionStorage, KEPT, JSON.stringify([...pending.values(), ...others]));
    const lost = [...pending.values()].filter((scan) => scan.tries > 0).length;
    const open = (count, by = "") => (count === 1 ? `1 scan${by} is not answered yet.` : `${count} scans${by} are not answered yet.`);
    const notes = lost > 0 ? [`${open(lost)} Asking again.`] : [];
    for (const name of new Set(others.map((scan) => scan.user))) {
      const count = others.filter((scan) => scan.user === name).length;
      notes.push(`${open(count, ` by ${name}`)} Sign in as ${name} to ask again.`);
    }
    pendingNote.hidden = notes.length === 0;
    pendingNote.textContent = notes.join(" ");
  }

  async function send(scan) {
    const body = new URLSearchParams({ ...scan.fields, gate: scan.gate, fragment: "1" });
    const signal = AbortSignal.timeout(LOST);
    const answer = await fetch(address + scan.path, { method: "POST", body, redirect: "manual", signal });
    if (answer.type === "opaqueredirect" || answer.status === 401) throw new Error("signed out");
    if (answer.status >= 500 || [408, 425, 429].includes(answer.status)) throw new Error("lost");
    const html = await answer.text();
    const kind = /data-verdict="(\w+)"/.exec(html)?.[1];
    if (kind) return { html, kind };
    if (answer.ok) throw new Error("lost");
    // To ask again would not help.
    return { html: plain("look", "Look", "The server did not accept this. Load the page again, then scan again."), kind: "look" };
  }

  async function ask(scan) {
    const { nonce, code } = scan.fields;
    if (asked.has(nonce)) return;
    clearTimeout(retries.get(nonce));
    asked.add(nonce);
    pending.set(nonce, scan);
    // From now on it may have been counted, for this user.
    const wasSent = scan.isSent;
    Object.assign(scan, { isSent: true, user });
    keep();
    const wait = () => show({ html: plain("wait", "Wait", "Asking the server."), kind: "wait", nonce });
    // A repeat asks quietly: somebody else's verdict may be shown meanwhile.
    const waits = scan.tries === 0 ? setTimeout(wait, PATIENCE) : undefined;
    try {
      const verdict = await send(scan);
      pending.delete(nonce);
      clearTimeout(waits);
      show({ ...verdict, code, nonce });
      clearTimeout(counting);
      counting = setTimeout(countAgain, COUNT_PAUSE);
    } catch (error) {
      clearTimeout(waits);
      scan.tries += 1;
      if (error.message === "signed out") {
        scan.isSent = wasSent;
        return signedOut(scan);
      }
      if (scan.tries === 1) unknown(scan);
      retries.set(nonce, setTimeout(() => ask(scan), Math.min(1000 * scan.tries, 5000)));
    } finally {
      asked.delete(nonce);
      keep();
    }
  }

  function unknown({ fields: { nonce } }) {
    show({ html: plain("wait", "Not known", NOT_KNOWN), kind: "wait", sound: "look", nonce });
  }

  function askAll() {
    for (const scan of pending.values()) ask(scan);
  }

  function signedOut({ fields: { nonce } }) {
    const here = `${new URL(address, location.href).pathname}${gate ? `?gate=${encodeURIComponent(gate)}` : ""}`;
    const signIn = `${address.replace(/\/scan$/, "")}/login?next=${encodeURIComponent(here)}`;
    const link = `<div class="verdict-actions"><a class="button" href="${signIn}">Sign in</a></div>`;
    const html = plain("wait", "Signed out", "Sign in again. Scans that were not answered are then asked again.", link);
    show({ html, kind: "wait", sound: "look", nonce });
  }

  // ---- The same code that is still held up is one scan, though another one is seen beside it.
  const lastSeen = new Map();

  function seen(code, source, more = {}) {
    const now = performance.now();
    for (const [other, at] of lastSeen) if (now - at >= SAME) lastSeen.delete(other);
    const isSame = lastSeen.has(code) && !more.again;
    lastSeen.set(code, now);
    if (isSame) return again(code, source === "camera");
    const fields = { code, uses: form.elements.uses?.value || "1", nonce: newNonce(), source };
    if (form.elements.test.checked) fields.test = "1";
    if (more.lookUp) fields.look_up = "1";
    // Who sees that nothing is known scans once more: it is still the same scan.
    const isOpen = (scan) => scan.fields.code === code && ["test", "look_up"].every((name) => scan.fields[name] === fields[name]);
    const open = [...pending.values()].find(isOpen);
    if (open) {
      unknown(open);
      return void ask(open);
    }
    if (form.elements.uses && !more.lookUp) form.elements.uses.value = "1";
    ask({ path: "", gate, fields, tries: 0 });
  }
  window.scanSeen = seen;

  // Over plain http browsers have no randomUUID.
  function newNonce() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // ---- Typing, buttons, and the handheld scanner. Where codes may not be typed there is no field for them.
  for (const part of form.querySelectorAll("[data-typed]")) part.hidden = form.dataset.typing === "no";

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    window.scanSound.unlock();
    const code = field.value;
    field.value = "";
    field.focus();
    seen(code, "typed", { again: true, lookUp: event.submitter?.name === "look_up" });
  }, true);

  stage.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    window.scanSound.unlock();
    const fields = Object.fromEntries(new FormData(event.target, event.submitter));
    fields.nonce ??= newNonce();
    // A code that is still held up stays the same one: what was undone is not used again at once.
    ask({ path: event.target.action.endsWith("/undo") ? "/undo" : "", gate, fields, tries: 0 });
  }, true);

  window.scanWedge.listen(
    (code) => seen(code, "wedge"),
    (found) => {
      const html = found.reading
        ? plain("good", "Set up", "This scanner is read correctly from now on.")
        : plain("look", "Look", "This scanner types with another keyboard layout. Set it to “US keyboard”, then scan the set-up code again.");
      show({ html, kind: found.reading ? "good" : "look" });
    },
  );

  for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, window.scanSound.unlock, { passive: true });

  // ---- Counters, and what was not answered when this page was left.
  async function countAgain() {
    if (document.hidden) return;
    try {
      const answer = await fetch(`${counts.dataset.counts}?gate=${encodeURIComponent(gate)}`, { redirect: "manual" });
      if (!answer.ok) return;
      const text = await answer.text();
      const isOpen = counts.querySelector("details")?.open;
      counts.innerHTML = text;
      if (isOpen && counts.querySelector("details")) counts.querySelector("details").open = true;
    } catch {
      // The next one, then.
    }
  }
  setInterval(countAgain, 10_000);

  // That the network is back is a hint to try; that it is away is believed only when no answer comes.
  addEventListener("online", askAll);

  const kept = JSON.parse(read(sessionStorage, KEPT) || "[]");
  others.push(...kept.filter((scan) => scan.isSent && scan.user !== user));
  for (const scan of kept) if (!others.includes(scan)) ask(scan);
  keep();
})();
