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
  const gate = page.dataset.gate;

  // Milliseconds: until an answer counts as lost; between two verdicts; for which a code that was just seen is still the
  // same one; until details fade.
  const LOST = 5000;
  const SHOWN = 600;
  const SAME = 1000;
  const FADE = 30_000;
  const KEPT = "scan pending";
  const GATE = "scan gate";

  // The gate is remembered on this device.
  const chooser = page.querySelector(".scan-gate");
  if (chooser) {
    const select = chooser.elements.gate;
    chooser.querySelector("button").hidden = true;
    select.addEventListener("change", () => {
      localStorage.setItem(GATE, select.value);
      chooser.submit();
    });
    const remembered = localStorage.getItem(GATE);
    const isNew = !new URL(location.href).searchParams.has("gate") && !stage.querySelector("[data-usage]");
    const isThere = [...select.options].some((option) => option.value === remembered);
    if (remembered && isThere && isNew && !gate) location.replace(`${address}?gate=${encodeURIComponent(remembered)}`);
  }

  // ---- Verdicts, one after the other; none is replaced before it could be seen.
  let offset = 0;
  let busyUntil = 0;
  let fading;
  const waiting = [];

  function show(verdict) {
    waiting.push(verdict);
    if (waiting.length === 1) next();
  }

  function next() {
    const delay = busyUntil - performance.now();
    if (delay > 0) return void setTimeout(next, delay);
    const { html, kind, sound } = waiting[0];
    stage.innerHTML = html;
    stage.scrollIntoView({ block: "nearest" });
    busyUntil = performance.now() + SHOWN;
    document.body.dataset.verdict = kind;
    window.scanSound.play(sound ?? kind);
    const shown = stage.firstElementChild;
    if (shown?.dataset.at) offset = Date.parse(shown.dataset.at) - Date.now();
    clearTimeout(fading);
    fading = setTimeout(() => shown?.classList.add("faded"), FADE);
    count();
    waiting.shift();
    if (waiting.length) next();
  }

  stage.addEventListener("pointerdown", () => clearTimeout(fading));

  /** Counts down to the moment at which a token opens, by the server's clock. */
  function count() {
    for (const line of stage.querySelectorAll("[data-opens]")) {
      const seconds = Math.ceil((Date.parse(line.dataset.opens) - Date.now() - offset) / 1000);
      if (seconds > 86_400) continue;
      const two = (n) => String(n).padStart(2, "0");
      const [h, m, s] = [Math.floor(seconds / 3600), two(Math.floor(seconds / 60) % 60), two(seconds % 60)];
      line.textContent = seconds <= 0 ? "Open now. Scan it again." : `Opens in ${h ? `${h}:` : ""}${m}:${s}`;
    }
  }
  setInterval(count, 1000);

  function plain(kind, word, sentence) {
    const section = document.createElement("section");
    section.className = `scan-verdict ${kind}`;
    section.dataset.verdict = kind;
    const heading = document.createElement("h2");
    heading.textContent = word;
    const line = document.createElement("p");
    line.className = "verdict-sentence";
    line.textContent = sentence;
    section.append(heading, line);
    return section.outerHTML;
  }

  // ---- Scans that are not answered yet. They outlive this page, but not this tab.
  const pending = new Map();

  function keep() {
    sessionStorage.setItem(KEPT, JSON.stringify([...pending.values()]));
    const lost = [...pending.values()].filter((scan) => scan.tries > 0).length;
    pendingNote.hidden = lost === 0;
    pendingNote.textContent = lost === 1 ? "1 scan is not answered yet. Asking again." : `${lost} scans are not answered yet. Asking again.`;
  }

  async function send(scan) {
    const body = new URLSearchParams({ ...scan.fields, gate: scan.gate, fragment: "1" });
    const answer = await fetch(address + scan.path, {
      method: "POST",
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(LOST),
    });
    if (answer.type === "opaqueredirect" || answer.status === 401) throw new Error("signed out");
    if (![200, 403, 422].includes(answer.status)) throw new Error("lost");
    return { html: await answer.text(), status: answer.status };
  }

  async function ask(scan) {
    pending.set(scan.fields.nonce, scan);
    keep();
    const waits = setTimeout(() => show({ html: plain("wait", "Wait", "Asking the server."), kind: "wait" }), 400);
    try {
      const { html } = await send(scan);
      pending.delete(scan.fields.nonce);
      const kind = /data-verdict="(\w+)"/.exec(html)?.[1] ?? "look";
      show({ html, kind });
    } catch (error) {
      scan.tries += 1;
      if (error.message === "signed out") return signedOut();
      if (scan.tries === 1) {
        const sentence = "The answer was lost. It is asked again, and counted once.";
        show({ html: plain("wait", "Not known", sentence), kind: "wait", sound: "look" });
      }
      setTimeout(() => ask(scan), Math.min(1000 * scan.tries, 5000));
    } finally {
      clearTimeout(waits);
      keep();
    }
  }

  function signedOut() {
    keep();
    const here = `${new URL(address, location.href).pathname}${gate ? `?gate=${encodeURIComponent(gate)}` : ""}`;
    const signIn = `${address.replace(/\/scan$/, "")}/login?next=${encodeURIComponent(here)}`;
    const link = `<p class="verdict-actions"><a class="button" href="${signIn}">Sign in</a></p></section>`;
    const html = plain("wait", "Signed out", "Sign in again. Scans that were not answered are then asked again.");
    show({ html: html.replace("</section>", link), kind: "wait", sound: "look" });
  }

  // ---- The same code that is still held up is one scan.
  let current = { code: null, at: -Infinity };

  function seen(code, source, more = {}) {
    const now = performance.now();
    const isSame = code === current.code && now - current.at < SAME && !more.again;
    current = { code, at: now };
    if (isSame) {
      const verdict = stage.firstElementChild;
      if (verdict && !verdict.dataset.counted && verdict.dataset.verdict !== "wait") {
        verdict.dataset.counted = "yes";
        const note = document.createElement("p");
        note.className = "verdict-again";
        note.textContent = "Already counted";
        verdict.append(note);
        window.scanSound.play("again");
      }
      return;
    }
    const uses = form.elements.uses?.value || "1";
    const fields = { code, uses, nonce: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, source };
    if (form.elements.test.checked) fields.test = "1";
    if (more.lookUp) fields.look_up = "1";
    if (form.elements.uses) form.elements.uses.value = "1";
    ask({ path: "", gate, fields, tries: 0 });
  }
  window.scanSeen = seen;

  // ---- Typing, buttons, and the handheld scanner.
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    window.scanSound.unlock();
    if (!form.reportValidity()) return;
    const code = field.value;
    field.value = "";
    field.focus();
    seen(code, "typed", { again: true, lookUp: event.submitter?.name === "look_up" });
  }, true);

  stage.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    window.scanSound.unlock();
    const data = new FormData(event.target, event.submitter);
    const fields = Object.fromEntries(data);
    fields.nonce ??= crypto.randomUUID?.() ?? String(Math.random());
    current = { code: null, at: -Infinity };
    ask({ path: event.target.action.endsWith("/undo") ? "/undo" : "", gate, fields, tries: 0 });
  }, true);

  window.scanWedge.listen(
    (code) => seen(code, "wedge"),
    (found) => {
      const ok = found.reading !== null;
      const html = ok
        ? plain("good", "Set up", "This scanner is read correctly from now on.")
        : plain("look", "Look", "This scanner types with another keyboard layout. Set it to “US keyboard”, then scan the set-up code again.");
      show({ html, kind: ok ? "good" : "look" });
    },
  );

  for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, window.scanSound.unlock, { passive: true });

  // ---- Counters, and what was not answered when this page was left.
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(`${counts.dataset.counts}?gate=${encodeURIComponent(gate)}`, { redirect: "manual" });
      const isOpen = counts.querySelector("details")?.open;
      if (answer.ok) counts.innerHTML = await answer.text();
      if (isOpen && counts.querySelector("details")) counts.querySelector("details").open = true;
    } catch {
      // The next one, then.
    }
  }, 10_000);

  for (const scan of JSON.parse(sessionStorage.getItem(KEPT) || "[]")) ask(scan);
  count();
})();
