// Comfort only; every page works without it. Changes language at once and counts the minutes down.
"use strict";
const choice = document.querySelector("select[name=lang]");
const change = choice.form.querySelector("button");
change.hidden = true;
// Keys walk through the list one by one: whoever uses them presses the button (WCAG 3.2.2).
choice.addEventListener("keydown", (event) => { if (event.key !== "Tab") change.hidden = false; });
choice.addEventListener("change", () => { if (change.hidden) choice.form.submit(); });
const left = document.querySelector("[data-seconds]");
if (left) {
  const number = [...left.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && /[0-9]/.test(node.data));
  const reading = left.querySelector("[data-readings]");
  const ends = Date.now() + 1000 * Number(left.dataset.seconds);
  setInterval(() => {
    const seconds = (ends - Date.now()) / 1000;
    if (seconds <= -3) location.replace("/?lang=" + document.documentElement.lang);
    const minutes = String(Math.max(0, Math.ceil(seconds / 60)));
    number.data = number.data.replace(/[0-9]+/, minutes);
    if (reading) reading.textContent = reading.dataset.readings.split("/")[/[2579]$/.test(minutes) ? 0 : 1];
  }, 15000);
}
