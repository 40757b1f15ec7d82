// The list: the size of its tiles, and the selection, which this tab keeps. The page works without this.
"use strict";

// Tiles change their size at once; a cookie keeps it for the next visit.
for (const slider of document.querySelectorAll("[data-size-of]")) {
  const tiles = document.getElementById(slider.dataset.sizeOf);
  slider.addEventListener("input", () => {
    tiles.dataset.size = slider.value;
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `tile_size=${slider.value}; path=${slider.dataset.path}; max-age=31536000; samesite=lax${secure}`;
  });
}

const form = document.getElementById("selection");
if (form) {
  const bar = form.querySelector("[data-bar]");
  const [picked, all, clear, menu] = ["picked", "pick-all", "pick-none", "menu"].map((name) => bar.querySelector(`[data-${name}]`));
  const page = form.querySelector("[data-select-page]");
  const pageBox = page.querySelector("input");
  const boxes = [...form.querySelectorAll("input[type=checkbox][name=uid]")];
  const most = Number(form.dataset.most);

  // Kept by user name: the next user of this tab begins with nothing. What the filter is, its hidden fields say.
  const key = `selected ${form.dataset.user}`;
  const filter = JSON.stringify(
    [...form.querySelectorAll("input[type=hidden]")]
      .filter((field) => field.name && !field.disabled && !["sort", "view", "show", "after", "before", "last"].includes(field.name))
      .map((field) => [field.name, field.value]),
  );
  let selected = new Set();
  let everything = false;
  let isFull = false;

  const read = () => {
    const kept = JSON.parse(sessionStorage.getItem(key) || "{}");
    selected = new Set((kept.uids || "").split(" ").filter(Boolean));
    // "All results" are those of one filter, and of no other.
    everything = kept.filter === filter;
  };
  const keep = () => {
    isFull = selected.size > most;
    if (isFull) selected = new Set([...selected].slice(0, most));
    try {
      if (selected.size === 0 && !everything) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, JSON.stringify({ uids: [...selected].join(" "), ...(everything && { filter }) }));
    } catch {
      // This browser has no room for so many: the page still shows what is selected.
      isFull = true;
    }
  };
  const show = () => {
    for (const box of boxes) box.checked = everything || selected.has(box.value);
    const ticked = boxes.filter((box) => box.checked).length;
    pageBox.checked = ticked === boxes.length;
    pageBox.indeterminate = ticked > 0 && ticked < boxes.length;
    bar.hidden = !everything && selected.size === 0;
    all.hidden = everything;
    const count = everything ? picked.dataset.all : `${selected.size.toLocaleString("en")} ${picked.dataset.words}`;
    picked.textContent = isFull ? `${count}. ${picked.dataset.full}` : count;
  };
  const change = (work) => {
    // What is unticked of all results leaves the others of this page.
    if (everything) selected = new Set(boxes.map((box) => box.value));
    everything = false;
    work();
    keep();
    show();
  };
  const set = (box, isTicked) => (isTicked ? selected.add(box.value) : selected.delete(box.value));

  for (const other of Object.keys(sessionStorage)) {
    if (other.startsWith("selected ") && other !== key) sessionStorage.removeItem(other);
  }
  if (document.querySelector("[data-forget-selection]")) sessionStorage.removeItem(key);
  read();
  // What the address has ticked, as after signing in again, counts where this tab knows nothing else, and only once.
  const address = new URL(location.href);
  if (address.searchParams.has("uid") || address.searchParams.has("uids")) {
    if (selected.size === 0 && !everything) {
      for (const box of boxes) if (box.checked) selected.add(box.value);
      keep();
    }
    for (const name of ["uid", "uids", "do"]) address.searchParams.delete(name);
    history.replaceState(history.state, "", address);
  }
  // The form sends the whole selection, not the boxes of this page.
  for (const box of boxes) box.removeAttribute("name");
  page.hidden = false;
  show();
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    read();
    show();
  });

  let last = null;
  for (const box of boxes) {
    box.addEventListener("click", (event) => {
      // With Shift, all boxes from the last clicked one to this one become like this one.
      const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
      const between = event.shiftKey && from >= 0 ? boxes.slice(from, to + 1) : [box];
      const isTicked = box.checked;
      change(() => between.forEach((each) => set(each, isTicked)));
      last = box;
    });
  }
  pageBox.addEventListener("change", () => {
    const isTicked = pageBox.checked;
    change(() => boxes.forEach((box) => set(box, isTicked)));
  });
  all.addEventListener("click", () => {
    selected.clear();
    everything = true;
    keep();
    show();
    clear.focus();
  });
  clear.addEventListener("click", () => {
    selected.clear();
    everything = false;
    keep();
    show();
    pageBox.focus();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.type === "checkbox") event.preventDefault();
  });
  form.addEventListener("submit", () => {
    const [select, uids] = ["select", "uids"].map((name) => form.querySelector(`[data-${name}]`));
    select.disabled = uids.disabled = false;
    select.value = everything ? "found" : "ticked";
    uids.value = everything ? "" : [...selected].join(" ");
  });

  // Where there is room, the buttons need no menu.
  const wide = matchMedia("(min-width: 48.01rem)");
  const unfold = () => (menu.open = wide.matches);
  wide.addEventListener("change", unfold);
  unfold();
}
