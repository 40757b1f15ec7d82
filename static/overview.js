// The overview: the size of its tiles, and the selection. The page works without this.
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

// Shows how many boxes are ticked. Ticking one selects "Ticked ones".
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
  // With Shift, all boxes from the last clicked one to this one become like this one.
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
