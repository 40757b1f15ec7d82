// Shows verdicts, one after the other. None is replaced before it could be seen, but for one that decides nothing.
"use strict";

window.scanStage = (() => {
  const stage = document.getElementById("stage");
  // Milliseconds: between two verdicts; until details fade; for which a code may be held up after its verdict before it
  // is said that it was counted.
  const SHOWN = 600;
  const FADE = 30_000;
  const HELD_UP = 1500;
  // A tick, an exclamation mark, three dots: as the server draws them.
  const ICONS = { good: "M8 25l11 11 21-24", look: "M24 8v20M24 39v.5", wait: "M10 24h.5M24 24h.5M38 24h.5" };

  // How far the server's clock is ahead of this one.
  let ahead = 0;
  let busyUntil = 0;
  let fading;
  let timer;
  let shown = {};
  let shownOrder = 0;
  const waiting = [];

  /** Shows a verdict: its HTML, its kind and sound, and of which scan and code it is. */
  function show(verdict) {
    // What was not known of a scan is over once it is answered.
    const outdated = waiting.findIndex(({ kind, nonce }) => kind === "wait" && nonce && nonce === verdict.nonce);
    if (outdated >= 0) waiting.splice(outdated, 1);
    waiting.push({ ...verdict, came: Date.now() });
    next();
  }

  function next() {
    clearTimeout(timer);
    if (waiting.length === 0) return;
    const delay = busyUntil - performance.now();
    if (delay > 0) {
      timer = setTimeout(next, delay);
      return;
    }
    shown = { ...waiting.shift(), at: performance.now() };
    busyUntil = shown.kind === "wait" ? 0 : shown.at + SHOWN;
    shownOrder = shown.order ?? shownOrder;
    stage.innerHTML = shown.html;
    stage.scrollIntoView({ block: "nearest" });
    begin(shown.came);
    window.scanSound.play(shown.sound ?? shown.kind);
    next();
  }

  function begin(came) {
    const { at } = stage.firstElementChild?.dataset ?? {};
    if (at) ahead = Date.parse(at) - came;
    fadeLater();
    count();
  }

  function fadeLater() {
    clearTimeout(fading);
    // What is said of somebody's token, that is, and no more.
    const verdict = stage.querySelector("[data-at]");
    if (verdict) fading = setTimeout(() => verdict.classList.add("faded"), FADE);
  }

  // Who touches a verdict reads it.
  for (const event of ["pointerdown", "focusin"]) {
    stage.addEventListener(event, () => {
      clearTimeout(fading);
      stage.firstElementChild?.classList.remove("faded");
    });
  }

  const secondsTo = (moment) => Math.ceil((Date.parse(moment) - Date.now() - ahead) / 1000);

  /** Counts down, by the server's clock: to the moment from which a token can be used, and while a use can be undone. */
  function count() {
    const undo = stage.querySelector("[data-until]");
    if (undo) {
      const seconds = secondsTo(undo.dataset.until);
      // Not read out each second.
      if (seconds > 0) undo.querySelector(".seconds").textContent = ` (${seconds} s)`;
      else undo.remove();
    }
    const line = stage.querySelector("[data-opens]");
    if (!line) return;
    const seconds = secondsTo(line.dataset.opens);
    if (seconds > 86_400) return;
    if (seconds <= 0) {
      const title = stage.querySelector(".verdict-title")?.textContent;
      const action = stage.querySelector(".verdict-actions")?.outerHTML;
      stage.innerHTML = plain("wait", "Scan again", "The token can be used now.", { title, action });
      return;
    }
    const two = (n) => String(n).padStart(2, "0");
    const [h, m, s] = [Math.floor(seconds / 3600), two(Math.floor(seconds / 60) % 60), two(seconds % 60)];
    line.querySelector("time").textContent = `in ${h ? `${h}:` : ""}${m}:${s}`;
  }
  setInterval(count, 1000);

  /** Whether the verdict of a later scan was shown. */
  const isShownBehind = (order) => shownOrder > order;

  /** The HTML of a verdict that is made here. */
  function plain(kind, word, sentence, { title = "", action = "" } = {}) {
    const text = (tag, className, words) => {
      const element = document.createElement(tag);
      element.className = className;
      element.textContent = words;
      return element.outerHTML;
    };
    const icon = `<svg class="verdict-icon" viewBox="0 0 48 48" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="5" stroke-linecap="round" stroke-linejoin="round"><path d="${ICONS[kind]}"/></svg>`;
    const words = text("h2", "", word) + (title && text("p", "verdict-title", title)) + text("p", "verdict-sentence", sentence);
    return `<section class="scan-verdict ${kind}" data-verdict="${kind}">${icon}${words}${action}</section>`;
  }

  /** Shows a verdict that is made here; `more` has its title and action, its sound, and of which scan it is. */
  function tell(kind, word, sentence, more = {}) {
    show({ html: plain(kind, word, sentence, more), kind, ...more });
  }

  /** Says that a code that is seen again was counted, if it is its verdict that is shown. */
  function again(code, isHeldUp) {
    const verdict = stage.firstElementChild;
    if (shown.code !== code || shown.kind === "wait" || !verdict) return;
    const isSaid = verdict.querySelector(".verdict-again") !== null;
    // A camera sees a code many times before anybody has put it away.
    if (isHeldUp && (isSaid || performance.now() - shown.at < HELD_UP)) return;
    window.scanSound.play("again");
    if (isSaid) return;
    const note = document.createElement("p");
    note.className = "verdict-again";
    note.textContent = verdict.dataset.usage ? "Already counted" : "Same code as before";
    verdict.append(note);
  }

  // The one that came with the page.
  begin(Date.now());
  return { again, isShownBehind, plain, show, tell };
})();
