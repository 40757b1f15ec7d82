// Small conveniences of every page. All pages work without this.
"use strict";

// Browsers have a clipboard only on secure pages; on others, a text that is selected can be copied.
const copy = async (text) => {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  const focused = document.activeElement;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  focused?.focus();
  if (!isCopied) throw new Error("not copied");
};

// The button says "Copied" for a moment, also to screen readers.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  const words = [...button.childNodes];
  button.addEventListener("click", async () => {
    try {
      await copy(button.dataset.copy);
      button.textContent = button.dataset.copied;
    } catch {
      button.textContent = button.dataset.failed;
    }
    setTimeout(() => button.replaceChildren(...words), 2000);
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A ticked "Unlimited" disables the number beside it.
for (const box of document.querySelectorAll("[data-disables]")) {
  const field = document.getElementById(box.dataset.disables);
  const follow = () => (field.disabled = box.checked);
  box.addEventListener("change", follow);
  follow();
}

// A notice is shown once, and not again when the page is reloaded or bookmarked.
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  for (const name of ["done", "token", "changed"]) address.searchParams.delete(name);
  history.replaceState(history.state, "", address);
}

// This tab knows the list as it was shown last, with its filter, order and page: links back to it lead there.
if (document.querySelector("[data-list]")) {
  const list = new URL(location.href);
  for (const name of ["uid", "uids", "do"]) list.searchParams.delete(name);
  sessionStorage.setItem("list", list.pathname + list.search);
}
const list = sessionStorage.getItem("list");
for (const link of document.querySelectorAll("[data-back-to-list]")) if (list) link.setAttribute("href", list);

// The selection of the list ends when it has been changed, and when its user signs out.
const forgetSelection = (names) => {
  for (const name of Object.keys(sessionStorage)) {
    if (names.some((start) => name.startsWith(start))) sessionStorage.removeItem(name);
  }
};
if (document.querySelector("[data-forget-selection]")) forgetSelection(["selected "]);
for (const form of document.querySelectorAll("form[action$='/logout']")) {
  form.addEventListener("submit", () => forgetSelection(["selected ", "list"]));
}

// A second click sends nothing while the first is being answered: for a few seconds, unless the user stops it with Escape.
const ANSWERED_WITHIN = 5000;
const forgetSent = () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
};
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    // This page stays when another script answers the click, or when a new tab opens.
    if (event.defaultPrevented || event.submitter?.formTarget === "_blank") return;
    if (Date.now() - Number(form.dataset.sent || 0) < ANSWERED_WITHIN) event.preventDefault();
    else form.dataset.sent = Date.now();
  });
}
window.addEventListener("pageshow", forgetSent);
window.addEventListener("keydown", (event) => event.key === "Escape" && forgetSent());

// A named time range fills in both times.
for (const button of document.querySelectorAll("[data-from][data-to]")) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    for (const [name, text] of [["valid_from", button.dataset.from], ["valid_to", button.dataset.to]]) {
      const field = button.form.elements[name];
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
}

// The entries of a form survive the end of a session: this tab keeps them until the form is saved. Hidden fields are
// restored, too: they hold what the token was, and without them a use or an edit since then would be undone.
for (const form of document.querySelectorAll("form[data-keep]")) {
  const name = "form " + form.dataset.keep;
  const fields = () => [...form.elements].filter((field) => field.name && field.type !== "submit");
  const kept = JSON.parse(sessionStorage.getItem(name) || "null");
  if (kept && form.dataset.restore !== "no" && performance.getEntriesByType("navigation")[0]?.type !== "reload") {
    for (const field of fields()) {
      if (!(field.name in kept)) continue;
      if (field.type === "checkbox") field.checked = kept[field.name];
      else field.value = kept[field.name];
      field.dispatchEvent(new Event("change"));
    }
  }
  sessionStorage.removeItem(name);
  form.addEventListener("submit", () => {
    const entries = {};
    for (const field of fields()) entries[field.name] = field.type === "checkbox" ? field.checked : field.value;
    try {
      sessionStorage.setItem(name, JSON.stringify(entries));
    } catch {
      // A pasted list may be longer than a tab can keep.
    }
  });
}
if (document.querySelector("[data-forget]")) {
  for (const name of Object.keys(sessionStorage)) if (name.startsWith("form ")) sessionStorage.removeItem(name);
}

// A page with a progress bar updates it until the work is done, and stays where it is scrolled to.
const poll = document.querySelector("[data-poll]");
if (poll) {
  const update = async () => {
    try {
      const answer = await fetch(location.href);
      const updated = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-poll]");
      if (!answer.ok || !updated) return location.replace(poll.dataset.poll);
      poll.replaceChildren(...updated.childNodes);
    } catch {
      // The server cannot be reached at the moment.
    }
    setTimeout(update, 500);
  };
  setTimeout(update, 500);
}

// Entering a time also selects "becomes the time below".
for (const field of document.querySelectorAll("[data-chooses]")) {
  field.addEventListener("input", () => {
    if (field.value) document.getElementById(field.dataset.chooses).value = "at";
  });
}

// What was done, or what is wrong, is read first: it takes the focus, unless somebody is already typing.
const message = document.querySelector(".problems, main > .flash");
if (message && (document.activeElement === document.body || !document.activeElement)) message.focus();

// Menus close with Escape, and when something else is clicked.
const openMenus = () => document.querySelectorAll("details:is(.top-menu, .menu:not([data-menu]))[open]");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});

// Single keys that do something can be switched off: people who speak to their computer type them by accident
// (WCAG 2.2, success criterion 2.1.4).
const SHORTCUTS_OFF = "shortcuts off";
for (const part of document.querySelectorAll("[data-shortcuts]")) part.hidden = false;
const singleKeys = document.querySelector("[data-single-keys]");
if (singleKeys) {
  singleKeys.checked = localStorage.getItem(SHORTCUTS_OFF) === null;
  singleKeys.addEventListener("change", () => {
    if (singleKeys.checked) localStorage.removeItem(SHORTCUTS_OFF);
    else localStorage.setItem(SHORTCUTS_OFF, "1");
  });
}

// "/" goes to the search, "?" opens the help. A search is selected when its results are there, so that the next scan replaces it; not on a
// phone, which would open its keyboard.
const TEXT_FIELDS = "input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=range]), textarea, select";
const searchFields = () => [...document.querySelectorAll("[data-search]")].filter((field) => field.checkVisibility());
const focusSearch = (field, options) => {
  field?.focus(options);
  field?.select();
  return Boolean(field);
};
const toggleHelp = () => {
  const help = document.querySelector("details.help");
  if (!help) return false;
  help.open = !help.open;
  help.querySelector("summary").focus();
  return true;
};
// Milliseconds between two keys of a scanner, which types no shortcuts.
const SCANNER_GAP = 80;
let lastKey = -Infinity;
document.addEventListener("keydown", (event) => {
  const isScan = event.timeStamp - lastKey < SCANNER_GAP;
  if (event.key.length === 1) lastKey = event.timeStamp;
  // Shift is held for both on many keyboards.
  const isOther = !["/", "?"].includes(event.key) || event.ctrlKey || event.altKey || event.metaKey || event.isComposing;
  if (isOther || isScan || event.defaultPrevented || event.target.closest(TEXT_FIELDS)) return;
  // At the door a handheld scanner types.
  if (document.querySelector("[data-scan], [data-gates], [data-single-keys]:not(:checked)")) return;
  if (event.key === "/" ? focusSearch(searchFields()[0]) : toggleHelp()) event.preventDefault();
});
if (address.searchParams.has("open")) {
  address.searchParams.delete("open");
  history.replaceState(history.state, "", address);
}
const sought = ["after", "before", "last"].some((name) => address.searchParams.has(name)) ? null : address.searchParams.get("q");
const isRead = document.querySelector(".problems, .flash") || document.activeElement !== document.body;
if (sought && !isRead && matchMedia("(pointer: fine)").matches) {
  // Where somebody who comes back had scrolled to, the page stays.
  focusSearch(searchFields().find((field) => field.value === sought.trim()), { preventScroll: true });
}
