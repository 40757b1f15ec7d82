// A handheld scanner types what it reads, much faster than people do, wherever the focus is. This tells its keys from
// theirs, and reads them as the scanner meant them, whatever keyboard layout the computer has.
"use strict";

window.scanWedge = (() => {
  // Milliseconds between two keys of a scanner, on average, and of silence after its last one: a browser that is busy
  // hands on some keys late.
  const KEY_GAP = 35;
  const SILENCE = 100;
  // For which the end of a scan is still its end, and not somebody's Enter.
  const LATE = 400;
  // Keys of a scan; people who type well reach three in a field as quickly, though without an Enter.
  const SHORTEST = 3;
  const SHORTEST_OPEN = 5;
  const MODIFIERS = ["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock"];
  const TYPED = "input:is(:not([type]), [type=text], [type=search], [type=number]), textarea";
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
    // An accent that waits for its letter: nobody knows which.
    if (event.key === "Dead") return "\ufffd";
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
  function read({ byLayout, byUs, isCaps }) {
    const set = settings();
    if (set.reading) {
      const text = set.reading === "us" ? byUs : byLayout;
      return without(set, set.isSwapped && (isCaps || !set.isCaps) ? swapCase(text) : text);
    }
    return !isPlain(byLayout) && isPlain(byUs) ? byUs : byLayout;
  }

  /** Learns from the set-up code how the scanner types; returns what it found, or nothing if this is another code. */
  function learn({ byLayout, byUs, isCaps }) {
    for (const [reading, text] of [["layout", byLayout], ["us", byUs]]) {
      for (const isSwapped of [false, true]) {
        const said = isSwapped ? swapCase(text) : text;
        const at = said.indexOf(SET_UP);
        if (at < 0) continue;
        // A scanner that knows of Caps Lock makes up for it only while it is on.
        const found = { reading, isSwapped, isCaps, prefix: said.slice(0, at), suffix: said.slice(at + SET_UP.length) };
        try {
          localStorage.setItem(SETTINGS, JSON.stringify(found));
        } catch {
          // It is set up again on the next visit.
        }
        return found;
      }
    }
    // The wrong layout on a scanner that is set to one of its own: nothing that can be corrected.
    return /tesser..?.?set.?p/i.test(`${byLayout}\n${byUs}`) ? { reading: null } : undefined;
  }

  /** Gives somebody the keys that were held back because they came as quickly as a scanner's. */
  function type(text, element) {
    if (!text || document.activeElement !== element) return;
    if (element.matches(TYPED)) return void document.execCommand("insertText", false, text);
    // As lists do: the next one that begins so.
    const at = element.selectedIndex + 1;
    const options = [...element.options].slice(at).concat([...element.options].slice(0, at));
    const option = options.find(({ label }) => label.toLowerCase().startsWith(text.toLowerCase()));
    if (!option || option.selected) return;
    option.selected = true;
    for (const event of ["input", "change"]) element.dispatchEvent(new Event(event, { bubbles: true }));
  }

  /** Calls back with each code that is scanned, and with what a set-up code has shown. */
  function listen(onScan, onSetUp) {
    let keys = [];
    let first;
    let last = -Infinity;
    // When the last scan had its last key.
    let scanned = -Infinity;
    let timer;
    let element;
    let before;

    /** Ends a burst: whether it was a scan. */
    const finish = (isEnded) => {
      clearTimeout(timer);
      const burst = keys;
      keys = [];
      const shortest = element?.matches(TYPED) && !isEnded ? SHORTEST_OPEN : SHORTEST;
      if (burst.length < shortest || (last - first) / (burst.length - 1) > KEY_GAP) {
        type(burst.filter((key) => key.isHeld).map((key) => key.own).join(""), element);
        return false;
      }
      scanned = last;
      // The first keys went where the focus was, before anybody could know.
      if (element?.matches(TYPED)) element.value = before;
      const [byLayout, byUs] = ["layout", "us"].map((kind) => burst.map((key) => key[kind]).join(""));
      const said = { byLayout, byUs, isCaps: burst[0].isCaps };
      const found = learn(said);
      if (found) onSetUp(found);
      else onScan(read(said));
      return true;
    };

    document.addEventListener("keydown", (event) => {
      if (event.isComposing || MODIFIERS.includes(event.key)) return;
      const now = event.timeStamp;
      const isBurst = now - last <= SILENCE;
      const isAfter = now - scanned <= LATE;
      // AltGr is Ctrl and Alt on some systems, and types a character.
      const isCommand = event.metaKey || (event.ctrlKey && !event.altKey && !event.getModifierState("AltGraph"));
      if (event.key === "Enter" || event.key === "Tab" || isCommand) {
        const isScan = keys.length > 0 && isBurst && !isCommand && finish(true);
        // Some scanners end with two keys, as in Enter and Ctrl+J; and a busy browser hands them on late.
        if (isScan || (isAfter && keys.length === 0) || (isCommand && isBurst && keys.length > 1)) event.preventDefault();
        else if (!isCommand) finish(false);
        return;
      }
      // A key that somebody holds down repeats itself as quickly as a scanner types.
      if (event.repeat || (event.key.length !== 1 && event.key !== "Dead")) return void finish(false);
      if (!isBurst && keys.length > 0) finish(false);
      const isFirst = keys.length === 0;
      if (isFirst) {
        first = now;
        element = document.activeElement?.matches(`${TYPED}, select`) ? document.activeElement : null;
        before = element?.value;
      }
      // From the second quick key on nobody else gets them: no field, no button. A list would choose by the first one.
      const isList = element?.matches("select") && event.key !== " ";
      const isHeld = isList || (!isFirst && (now - last <= KEY_GAP || keys.at(-1).isHeld));
      if (isHeld) event.preventDefault();
      last = now;
      const isCaps = event.getModifierState("CapsLock");
      keys.push({ layout: keyCharacter(event), us: usCharacter(event) ?? event.key, own: event.key, isCaps, isHeld });
      clearTimeout(timer);
      timer = setTimeout(finish, SILENCE, false);
    }, true);
  }

  return { listen };
})();
