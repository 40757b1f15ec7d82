// The documentation of the API: finding, and the language of the examples. The page is whole without this.
"use strict";

const text = document.querySelector(".docs-text");
const search = document.getElementById("docs-search");
const found = document.getElementById("docs-found");
const links = [...document.querySelectorAll(".docs-aside nav a")];
const words = (element) => element.textContent.toLowerCase();
// The overview lists views, which are found themselves.
const parts = [...document.querySelectorAll(".docs-part")].filter((part) => part.id !== "views");
const index = parts.map((part) => ({
  part,
  text: words(part),
  rows: [...part.querySelectorAll("tbody tr")].map((row) => ({ row, text: words(row) })),
}));

// A part is shown where every word is in it. In its tables, the rows with all words are shown alone, if there are any.
function find() {
  const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (text) => wanted.every((word) => text.includes(word));
  let count = 0;
  for (const { part, text, rows } of index) {
    part.hidden = !has(text);
    if (part.hidden) continue;
    count += 1;
    const named = has(part.id) || !rows.some(({ text }) => has(text));
    for (const { row, text } of rows) row.hidden = !named && !has(text);
    for (const table of part.querySelectorAll("table")) {
      table.hidden = [...table.tBodies[0].rows].every((row) => row.hidden);
    }
  }
  const views = document.getElementById("views");
  views.hidden = wanted.length > 0;
  for (const link of links) {
    const part = document.getElementById(link.hash.slice(1));
    const isGroup = part === views && [...document.querySelectorAll(".docs-view")].some((view) => !view.hidden);
    link.parentElement.hidden = part.hidden && !isGroup;
  }
  found.textContent = wanted.length === 0 ? "" : count === 1 ? "1 part found" : `${count || "No"} parts found`;
}

search.closest("[hidden]").hidden = false;
search.addEventListener("input", find);
search.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  search.value = "";
  find();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea")) return;
  event.preventDefault();
  search.focus();
});
// A browser that comes back fills the field again.
if (search.value) find();
// A link to what is hidden shows everything again.
window.addEventListener("hashchange", () => {
  const target = document.getElementById(location.hash.slice(1));
  if (!target?.closest("[hidden]")) return;
  search.value = "";
  find();
  target.scrollIntoView();
});

// The language that was chosen holds for every example, and for the next time.
const KEPT = "docs language";
function choose(language) {
  for (const radio of text.querySelectorAll(`.docs-languages [value="${CSS.escape(language)}"]`)) radio.checked = true;
}
text.addEventListener("change", (event) => {
  if (!event.target.matches(".docs-languages input")) return;
  // What stands above may get longer or shorter, and must not move what is looked at.
  const before = event.target.getBoundingClientRect().top;
  choose(event.target.value);
  window.scrollBy(0, event.target.getBoundingClientRect().top - before);
  localStorage.setItem(KEPT, event.target.value);
});
const kept = localStorage.getItem(KEPT);
if (kept) choose(kept);

// On a narrow screen the contents are closed at first, so that the first call is in sight.
const contents = document.querySelector(".docs-contents");
const isNarrow = matchMedia("(max-width: 64rem)");
const fold = () => (contents.open = !isNarrow.matches);
isNarrow.addEventListener("change", fold);
fold();

// The contents show which part is looked at.
const seen = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      for (const link of links) {
        if (link.hash === `#${target.id || "start"}`) link.setAttribute("aria-current", "location");
        else link.removeAttribute("aria-current");
      }
    }
  },
  { rootMargin: "-10% 0px -85% 0px" },
);
for (const part of document.querySelectorAll(".docs-head, .docs-part")) seen.observe(part);
