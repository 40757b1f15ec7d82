// Scans whose answer is late: while they are open, and what came of them when somebody else's verdict was already shown.
"use strict";

window.scanLate = (() => {
  const list = document.querySelector(".scan-late");
  const note = document.querySelector(".scan-pending");
  // Lines of answered scans, newest first, and how long they stay, in milliseconds.
  const LINES = 6;
  const STAYS = 300_000;
  const CHARACTERS = 40;
  const answered = [];
  let open = [];

  const shortened = (text) => (text.length > CHARACTERS ? `${text.slice(0, CHARACTERS)}…` : text);
  const time = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

  function line(kind, what, said) {
    const item = document.createElement("li");
    item.className = kind;
    for (const [name, text] of [["strong", said], ["span", what]]) {
      const part = document.createElement(name);
      part.textContent = text;
      part.dir = "auto";
      item.append(part);
    }
    return item;
  }

  function render() {
    const name = (scan) => `${shortened(scan.fields.code ?? "Undo")}, ${time(scan.at)}`;
    list.replaceChildren(
      ...open.map((scan) => line("wait", name(scan), "No answer yet")),
      ...answered.map(({ kind, word, title, at }) => line(kind, `${shortened(title)}, scanned ${time(at)}`, `Earlier: ${word}`)),
    );
    list.hidden = !list.hasChildNodes();
  }

  /** Shows which scans were asked for and not answered, and what is done about it. */
  function update(scans, others, isSignedOut) {
    open = scans.filter((scan) => scan.tries > 0);
    const count = (number) => (number === 1 ? "1 scan has" : `${number} scans have`);
    const notes = [];
    if (open.length > 0) {
      notes.push(`${count(open.length)} no answer yet. ${isSignedOut ? "Sign in to try again." : "Trying again."}`);
    }
    for (const user of new Set(others.map((scan) => scan.user))) {
      const number = others.filter((scan) => scan.user === user).length;
      notes.push(`${count(number)} no answer yet and ${number === 1 ? "was" : "were"} made by ${user}. Sign in as ${user} to try again.`);
    }
    note.hidden = notes.length === 0;
    note.textContent = notes.join(" ");
    render();
  }

  /** Notes down a verdict that came when a later scan's was shown already. */
  function add({ html, kind }, scan) {
    const verdict = document.createElement("template");
    verdict.innerHTML = html;
    const text = (selector) => verdict.content.querySelector(selector)?.textContent ?? "";
    const entry = { kind, word: text("h2"), title: text(".verdict-title") || scan.fields.code || "", at: scan.at };
    answered.unshift(entry);
    answered.length = Math.min(answered.length, LINES);
    setTimeout(() => {
      if (answered.includes(entry)) answered.splice(answered.indexOf(entry), 1);
      render();
    }, STAYS);
    window.scanSound.play(kind === "good" ? "again" : "look");
    render();
  }

  return { add, shortened, update };
})();
