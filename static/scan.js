// The door: every scan has a key of its own, is sent at once, and is asked again with the same key until it is answered.
"use strict";

(() => {
  const page = document.querySelector("[data-scan]");
  const stage = document.getElementById("stage");
  const form = page.querySelector(".scan-form");
  const field = form.elements.code;
  const { test } = form.elements;
  const counts = page.querySelector("[data-counts]");
  const address = page.dataset.scan;
  const { gate, user } = page.dataset;
  const { again, isShownBehind, plain, show, tell } = window.scanStage;
  const late = window.scanLate;

  // Milliseconds: until an answer counts as lost; until somebody is told to wait; for which a code that was just seen is
  // still the same one.
  const LOST = 5000;
  const PATIENCE = 400;
  const SAME = 1000;
  // Counters follow the last of several verdicts: who scans without a pause costs the server no count for each.
  const COUNT_PAUSE = 500;
  const KEPT = "scan pending";
  const NO_ANSWER = "Trying again. The scan counts once.";

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

  // Scans in the order in which they were made: the last one is of whoever stands here.
  let order = 0;
  let isSignedOut = false;

  function keep() {
    write(sessionStorage, KEPT, JSON.stringify([...pending.values(), ...others]));
    late.update([...pending.values()], others, isSignedOut);
  }

  const isLast = (scan) => scan.order === order;

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
    return { html: plain("look", "Not done", "The server refused this request. Open the scan page again from the menu."), kind: "look" };
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
    const wait = () => {
      if (isLast(scan)) tell("wait", "Wait", "Asking the server.", { title: name(scan), nonce });
    };
    // A repeat asks quietly: somebody else's verdict may be shown meanwhile.
    const waits = scan.tries === 0 ? setTimeout(wait, PATIENCE) : undefined;
    try {
      const verdict = await send(scan);
      isSignedOut = false;
      pending.delete(nonce);
      clearTimeout(waits);
      // Nobody may take an earlier guest's verdict for that of whoever stands here now.
      if ((scan.tries > 0 && !isLast(scan)) || isShownBehind(scan.order)) late.add(verdict, scan);
      else show({ ...verdict, code, nonce, order: scan.order });
      clearTimeout(counting);
      counting = setTimeout(countAgain, COUNT_PAUSE);
    } catch (error) {
      clearTimeout(waits);
      scan.tries += 1;
      if (error.message === "signed out") {
        scan.isSent = wasSent;
        isSignedOut = true;
        return signedOut(scan);
      }
      if (scan.tries === 1 && isLast(scan)) unknown(scan);
      retries.set(nonce, setTimeout(() => ask(scan), Math.min(1000 * scan.tries, 5000)));
    } finally {
      asked.delete(nonce);
      keep();
    }
  }

  const name = ({ fields }) => late.shortened(fields.code ?? "");

  function unknown(scan) {
    tell("wait", "No answer", NO_ANSWER, { title: name(scan), sound: "look", nonce: scan.fields.nonce });
  }

  /** Sends something that was just asked for. */
  function begin(scan) {
    order += 1;
    return ask({ gate, tries: 0, at: Date.now(), order, ...scan });
  }

  function askAll() {
    for (const scan of pending.values()) ask(scan);
  }

  function signedOut({ fields: { nonce } }) {
    const here = `${new URL(address, location.href).pathname}${gate ? `?gate=${encodeURIComponent(gate)}` : ""}`;
    const signIn = `${address.replace(/\/scan$/, "")}/login?next=${encodeURIComponent(here)}`;
    const link = `<div class="verdict-actions"><a class="button" href="${signIn}">Sign in</a></div>`;
    tell("wait", "Signed out", "Sign in again. Scans without an answer will then be sent again.", { action: link, sound: "look", nonce });
  }

  // ---- The same code that is still held up is one scan, though another one is seen beside it.
  const lastSeen = new Map();

  function seen(code, source, more = {}) {
    const now = performance.now();
    for (const [other, at] of lastSeen) if (now - at >= SAME) lastSeen.delete(other);
    const isSame = lastSeen.has(code) && !more.again;
    lastSeen.set(code, now);
    if (isSame) return again(code, source === "camera");
    const { uses } = form.elements;
    if (uses && !more.lookUp && !uses.validity.valid) {
      return tell("look", "How many?", "Enter 1 or more uses. Then scan again.", { title: late.shortened(code) });
    }
    const fields = { code, uses: uses?.value ?? "1", nonce: newNonce(), source };
    if (test?.checked) fields.test = "1";
    if (more.lookUp) fields.look_up = "1";
    // Who sees that nothing is known scans once more: it is still the same scan.
    const isOpen = (scan) => scan.fields.code === code && ["test", "look_up"].every((name) => scan.fields[name] === fields[name]);
    const open = [...pending.values()].find(isOpen);
    if (open) {
      order += 1;
      open.order = order;
      unknown(open);
      return void ask(open);
    }
    if (uses && !more.lookUp) uses.value = "1";
    begin({ path: "", fields });
  }
  window.scanSeen = seen;

  // Over plain http browsers have no randomUUID.
  function newNonce() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // ---- Typing, buttons, and the handheld scanner. Where codes may not be typed there is no field for them.
  if (form.dataset.typing === "no") {
    for (const part of form.querySelectorAll("[data-typed]")) part.hidden = true;
    field.disabled = true;
  }
  // With a finger it would open the keyboard over the verdict.
  if (matchMedia("(pointer: fine)").matches && !field.disabled) field.focus({ preventScroll: true });

  for (const button of form.querySelectorAll("[data-step]")) {
    const { uses } = form.elements;
    button.hidden = false;
    button.addEventListener("click", () => {
      const wanted = (uses.validity.valid ? uses.valueAsNumber : 1) + Number(button.dataset.step);
      uses.value = String(Math.max(1, wanted));
    });
  }

  // What is on the screen was no test, or was one.
  test?.addEventListener("change", () => {
    const [word, sentence] = test.checked ? ["Test mode", "Scan a code to see what would happen."] : ["Ready", "Scan a code."];
    tell("wait", word, sentence, { sound: "again" });
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    window.scanSound.unlock();
    const code = field.value;
    field.value = "";
    field.focus({ preventScroll: true });
    seen(code, "typed", { again: true, lookUp: event.submitter?.name === "look_up" });
  }, true);

  stage.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    window.scanSound.unlock();
    const fields = Object.fromEntries(new FormData(event.target, event.submitter));
    fields.nonce ??= newNonce();
    // A code that is still held up stays the same one: what was undone is not used again at once.
    begin({ path: event.target.action.endsWith("/undo") ? "/undo" : "", fields });
  }, true);

  window.scanWedge.listen(
    (code) => seen(code, "wedge"),
    ({ reading }) => {
      const wrong = "This scanner uses another keyboard layout. Set the scanner to “US keyboard”, then scan the set-up code again.";
      if (reading) tell("wait", "Scanner ready", "Codes are now read correctly.", { sound: "good" });
      else tell("look", "Not set up", wrong);
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
  for (const scan of kept) {
    if (others.includes(scan)) continue;
    order += 1;
    ask(Object.assign(scan, { order, tries: Math.max(scan.tries, 1) }));
  }
  keep();
})();
