// Comfort only; every page works without it. Changes language at once and counts the minutes down.
"use strict";
const choice = document.querySelector("select[name=lang]");
choice.form.querySelector("button").hidden = true;
choice.addEventListener("change", () => choice.form.submit());
const left = document.querySelector("[data-seconds]");
if (left) {
  const ends = Date.now() + 1000 * Number(left.dataset.seconds);
  setInterval(() => {
    const seconds = (ends - Date.now()) / 1000;
    if (seconds <= -3) location.replace("/?lang=" + document.documentElement.lang);
    else left.textContent = left.textContent.replace(/[0-9]+/, Math.max(0, Math.ceil(seconds / 60)));
  }, 15000);
}
