// Many tokens at once: the first and the last label follow the form. Without this a button shows them.
"use strict";

const form = document.getElementById("add-many");
const series = document.getElementById("series");
const button = document.getElementById("create");
const [first, last] = series.querySelectorAll("bdi");

// A whole number, or none.
const whole = (text, least, most) => {
  const number = /^\s*\d+\s*$/.test(text) ? Number(text) : NaN;
  return number >= least && number <= most ? number : null;
};

// As the server numbers them.
const label = (number) => {
  const text = form.label.value.trim();
  const digits = Number(form.digits.value);
  const pattern = text && digits && !text.includes("{n") ? `${text} {n:0${digits}}` : text;
  return pattern.replace(/\{n(?::0([1-9]))?\}/g, (_, width) => String(number).padStart(Number(width || 1), "0"));
};

const show = () => {
  const count = whole(form.count.value, 1, 100000);
  const start = form.start_number.value.trim() ? whole(form.start_number.value, 0, 999999999) : 1;
  const words = { null: button.dataset.none, 1: button.dataset.one }[count] ?? button.dataset.many;
  button.textContent = words.replace("{n}", count?.toLocaleString("en") ?? "");
  series.hidden = count === null || start === null || !form.label.value.trim();
  if (series.hidden) return;
  first.textContent = label(start);
  last.textContent = label(start + count - 1);
};

form.addEventListener("input", show);
form.addEventListener("change", show);
// Also after the browser, or another script, has filled in what was typed before.
window.addEventListener("pageshow", show);
show();
