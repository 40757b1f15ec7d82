// Local conveniences. Every page works without this.
"use strict";

// "Copied" is said on the button and to screen readers, and taken back after a moment.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  const words = button.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.copied;
    } catch {
      button.textContent = button.dataset.failed;
    }
    setTimeout(() => (button.textContent = words), 2000);
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A number beside "unlimited" is not asked for.
for (const box of document.querySelectorAll("[data-disables]")) {
  const field = document.getElementById(box.dataset.disables);
  const follow = () => (field.disabled = box.checked);
  box.addEventListener("change", follow);
  follow();
}

// What was done is told once: a page that is loaded again, or bookmarked, does not tell it again.
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  for (const name of ["done", "token"]) address.searchParams.delete(name);
  history.replaceState(history.state, "", address);
}

// A second click while the first is on its way sends nothing.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    // What opens beside the page leaves it as it is.
    if (event.submitter?.formTarget === "_blank") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// What was typed into a form outlives a session that ended meanwhile: it is kept in this tab until the form is done. The hidden
// fields come back with it: they say what the form knew, and without them a use or an edit since then would be undone.
for (const form of document.querySelectorAll("form[data-keep]")) {
  const name = "typed " + form.dataset.keep;
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
    const typed = {};
    for (const field of fields()) typed[field.name] = field.type === "checkbox" ? field.checked : field.value;
    sessionStorage.setItem(name, JSON.stringify(typed));
  });
}
if (document.querySelector("[data-forget]")) {
  for (const name of Object.keys(sessionStorage)) if (name.startsWith("typed ")) sessionStorage.removeItem(name);
}

// A page that tells how far something is asks again until it is done, and keeps the reader's place meanwhile.
const poll = document.querySelector("[data-poll]");
if (poll) {
  const ask = async () => {
    try {
      const answer = await fetch(location.href);
      const there = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-poll]");
      if (!answer.ok || !there) return location.replace(poll.dataset.poll);
      poll.replaceChildren(...there.childNodes);
    } catch {
      // The server is away for a moment.
    }
    setTimeout(ask, 500);
  };
  setTimeout(ask, 500);
}

// Tiles take their size at once, and keep it for the next visit.
for (const slider of document.querySelectorAll("[data-size-of]")) {
  const tiles = document.getElementById(slider.dataset.sizeOf);
  slider.addEventListener("input", () => {
    tiles.dataset.size = slider.value;
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `tile_size=${slider.value}; path=${slider.dataset.path}; max-age=31536000; samesite=lax${secure}`;
  });
}

// How many boxes are ticked is told; ticking one chooses the ticked ones.
const ticked = document.querySelector("[data-ticked]");
if (ticked) {
  const form = ticked.closest("form");
  const count = () => {
    const boxes = form.querySelectorAll("input[type=checkbox]:checked").length;
    ticked.hidden = boxes === 0;
    ticked.textContent = `${boxes} ticked`;
  };
  form.addEventListener("change", (event) => {
    if (event.target.type !== "checkbox") return;
    form.elements.select.value = "ticked";
    count();
  });
  // With Shift, all between the box that was ticked last and this one are as this one.
  let last = null;
  form.addEventListener("click", (event) => {
    const box = event.target;
    if (box.type !== "checkbox") return;
    const boxes = [...form.querySelectorAll("input[type=checkbox]")];
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) for (const between of boxes.slice(from, to)) between.checked = box.checked;
    last = box;
  });
  window.addEventListener("pageshow", count);
}

// Whoever types a time means it.
for (const field of document.querySelectorAll("[data-chooses]")) {
  field.addEventListener("input", () => {
    if (field.value) document.getElementById(field.dataset.chooses).value = "at";
  });
}

// The page that a form would print follows what is typed. Fields come back as the server understands them, but for the one in hand.
for (const form of document.querySelectorAll("form[data-preview]")) {
  const preview = document.getElementById(form.dataset.preview);
  const parts = (of) => [...of.querySelectorAll(".field, input[type=hidden]")];
  const state = () => new URLSearchParams(new FormData(form)).toString();
  const isAsTyped = (input) => input.type === "radio" || input.type === "checkbox" || input.value === input.defaultValue;
  const isSame = (part, now) => part.isEqualNode(now) && [...part.querySelectorAll("input")].every(isAsTyped);
  // The field in hand stays as it is; what stands around it follows.
  const follow = (part, now) => {
    const field = document.activeElement;
    if (!part.contains(field)) return isSame(part, now) || part.replaceWith(now);
    const around = [...now.childNodes];
    const at = around.findIndex((child) => child.id && child.id === field.id);
    if (at < 0 || field.parentElement !== part) return;
    for (const name of ["aria-invalid", "aria-describedby", "max"]) {
      if (around[at].hasAttribute(name)) field.setAttribute(name, around[at].getAttribute(name));
      else field.removeAttribute(name);
    }
    for (const child of [...part.childNodes]) if (child !== field) child.remove();
    field.before(...around.slice(0, at));
    field.after(...around.slice(at + 1));
  };
  // Only what is another one is replaced: a button that stays keeps the focus, and the click that is under way.
  const take = (old, now) => {
    const [there, here] = [[...now.children], [...old.children]];
    const button = document.activeElement.closest("button");
    if (there.length !== here.length) old.replaceChildren(...now.childNodes);
    else here.forEach((child, index) => child.isEqualNode(there[index]) || child.replaceWith(there[index]));
    if (!button || button.isConnected) return;
    const buttons = [...old.querySelectorAll("button:enabled")];
    (buttons.find((other) => other.textContent === button.textContent) || buttons[0])?.focus();
  };
  let seen = state();
  let timer = 0;
  let asked = 0;
  const show = async (page) => {
    clearTimeout(timer);
    const mine = ++asked;
    const fields = new URLSearchParams(new FormData(form));
    if (page) fields.set("page", page);
    const address = form.method === "get" ? `${form.action}?${fields}` : form.action;
    preview.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, form.method === "get" ? {} : { method: "post", body: fields });
      const there = new DOMParser().parseFromString(await answer.text(), "text/html");
      const theirs = there.getElementById(form.id);
      if (mine !== asked) return;
      if (!theirs) return location.assign(address);
      take(preview, there.getElementById(preview.id));
      take(document.getElementById("refusal"), there.getElementById("refusal"));
      const now = parts(theirs);
      parts(form).forEach((part, index) => follow(part, now[index]));
      seen = state();
      if (form.method === "get") history.replaceState(history.state, "", address);
    } catch {
      // The server is away for a moment: what is typed stays, and the button below shows it later.
      form.querySelector("[data-instead]").hidden = false;
    }
    preview.removeAttribute("aria-busy");
  };
  form.querySelector("[data-instead]").hidden = true;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, 250);
  });
  form.addEventListener("change", () => state() === seen || show());
  form.addEventListener("submit", (event) => {
    if (event.submitter?.name === "page" || !event.submitter || event.submitter.matches("[data-instead]")) {
      event.preventDefault();
      show(event.submitter?.value);
    } else if (event.submitter.formTarget === "_blank") {
      // The next free label is another one now.
      addEventListener("focus", () => show(), { once: true });
    }
  });
  preview.addEventListener("click", (event) => {
    const place = event.target.closest("a.place");
    if (!place || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    form.elements.start.value = new URL(place.getAttribute("href"), location.href).searchParams.get("start");
    show();
  });
}
