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
