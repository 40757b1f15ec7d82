// A handheld scanner types what it reads, much faster than people do, wherever the focus is. This tells its keys from
// theirs, and reads them as the scanner meant them, whatever keyboard layout the computer has.
"use strict";

window.scanWedge = (() => {
  // Milliseconds between two keys of a scanner, on average, and of silence after its last one: a browser that is busy
  // hands on some keys late.
  const KEY_GAP = 35;
  const SILENCE = 100;
  const SHORTEST = 3;
  const SETTINGS = "scan set-up";
  // What the set-up code says: characters that layouts, Caps Lock and prefixes spoil.
  const SET_UP = document.querySelector("[data-set-up]").dataset.setUp;

  // What the keys of a US keyboard say, without and with Shift: what most scanners believe to be attached to.
  const US = {
    Minus: "-_", Equal: "=+", BracketLeft: "[{", BracketRight: "]}", Backslash: "\\|", Semicolon: ";:", Quote: "'\"",
    Backquote: "`~", Comma: ",<", Period: ".>", Slash: "/?", Space: "  ",
  };
  const DIGITS = ")!@#$%^&*(";

  function usCharacter({ code, shiftKey }) {
    if (/^Key[A-Z]$/.test(code)) return shiftKey ? code[3] : code[3].toLowerCase();
    if (/^Digit\d$/.test(code)) return shiftKey ? DIGITS[code[5]] : code[5];
    return US[code]?.[shiftKey ? 1 : 0];
  }

  const swapCase = (text) =>
    [...text].map((c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join("");

  /** What a keyboard of this computer's layout says, as if Caps Lock were off. */
  function keyCharacter(event) {
    const isLetter = event.key.toLowerCase() !== event.key.toUpperCase();
    return isLetter && event.getModifierState("CapsLock") ? swapCase(event.key) : event.key;
  }

  const isPlain = (text) =>
    /^(\\000026)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|https?:\/\/\S+)$/i.test(text);

  function settings() {
    try {
      return JSON.parse(localStorage.getItem(SETTINGS)) ?? {};
    } catch {
      return {};
    }
  }

  function without({ prefix = "", suffix = "" }, text) {
    const start = prefix && text.startsWith(prefix) ? prefix.length : 0;
    const end = suffix && text.endsWith(suffix) ? text.length - suffix.length : text.length;
    return text.slice(start, Math.max(start, end));
  }

  /** The one reading of two: as the set-up code has shown, else the one that can be a uid or a link. */
  function read(byLayout, byUs) {
    const set = settings();
    if (set.reading) {
      const text = set.reading === "us" ? byUs : byLayout;
      return without(set, set.isSwapped ? swapCase(text) : text);
    }
    return !isPlain(byLayout) && isPlain(byUs) ? byUs : byLayout;
  }

  /** Learns from the set-up code how the scanner types; returns what it found, or nothing if this is another code. */
  function learn(byLayout, byUs) {
    for (const [reading, text] of [["layout", byLayout], ["us", byUs]]) {
      for (const isSwapped of [false, true]) {
        const said = isSwapped ? swapCase(text) : text;
        const at = said.indexOf(SET_UP);
        if (at < 0) continue;
        const found = { reading, isSwapped, prefix: said.slice(0, at), suffix: said.slice(at + SET_UP.length) };
        localStorage.setItem(SETTINGS, JSON.stringify(found));
        return found;
      }
    }
    // The wrong layout on a scanner that is set to one of its own: nothing that can be corrected.
    return /tessera.?setup/i.test(byLayout + byUs) ? { reading: null } : undefined;
  }

  /** Calls back with each code that is scanned, and with what a set-up code has shown. */
  function listen(onScan, onSetUp) {
    let keys = [];
    let first;
    let last = -Infinity;
    let timer;
    let field;
    let before;

    const clear = () => {
      clearTimeout(timer);
      keys = [];
    };
    const finish = () => {
      const [byLayout, byUs] = ["layout", "us"].map((kind) => keys.map((key) => key[kind]).join(""));
      const isScan = keys.length >= SHORTEST && (last - first) / (keys.length - 1) <= KEY_GAP;
      const held = keys.filter((key) => key.isHeld).map((key) => key.layout).join("");
      clear();
      if (!isScan) {
        // Somebody types fast: these keys are theirs.
        if (held && field) field.setRangeText(held, field.selectionStart, field.selectionEnd, "end");
        return false;
      }
      // The first keys went where the focus was, before anybody could know.
      if (field) field.value = before;
      const found = learn(byLayout, byUs);
      if (found) onSetUp(found);
      else onScan(read(byLayout, byUs));
      return true;
    };

    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.isComposing || event.key === "Shift") return;
      const now = event.timeStamp;
      const isBurst = now - last <= SILENCE;
      const isQuick = now - last <= KEY_GAP;
      if (event.key === "Enter" || event.key === "Tab") {
        if (isBurst && finish()) event.preventDefault();
        else clear();
        return;
      }
      if (event.key.length !== 1 && event.key !== "Dead") return clear();
      last = now;
      if (!isBurst || keys.length === 0) {
        clear();
        first = now;
        const active = document.activeElement;
        field = active?.matches("input:not([type=checkbox]), textarea") ? active : null;
        before = field?.value;
      }
      // From the second quick key on nobody else gets them: no field, no button, no select.
      const isHeld = isQuick && keys.length > 0;
      if (isHeld) event.preventDefault();
      keys.push({ layout: keyCharacter(event), us: usCharacter(event) ?? event.key, isHeld });
      clearTimeout(timer);
      timer = setTimeout(finish, SILENCE);
    }, true);
  }

  return { listen };
})();
