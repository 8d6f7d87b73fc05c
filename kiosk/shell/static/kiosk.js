// The page's own script: the heartbeat, the keypad, and a quiet screen. Without it every form still works.
"use strict";
(() => {
  const body = document.body;
  const poll = 400;
  let leaving = false;
  let silent = 0;
  let touched = -Infinity;

  // Heartbeat: when the kiosk's screen changed, go where it is now.
  const beat = async () => {
    if (leaving) return;
    try {
      const answer = await fetch("/state", { cache: "no-store" });
      const state = await answer.json();
      silent = 0;
      const moved = state.screen !== body.dataset.screen || String(state.revision) !== body.dataset.revision;
      // A finger that is just touching a control goes first: its tap must not land on a page that is going away.
      if (moved && !leaving && performance.now() - touched > 700) { location.replace("/"); return; }
    } catch { silent += 1; }
    body.classList.toggle("lost", silent > 5);
    setTimeout(beat, poll);
  };
  setTimeout(beat, poll);
  addEventListener("pageshow", (event) => { if (event.persisted) location.replace("/"); });

  // A finger on the glass keeps the visit awake.
  let awake = 0;
  addEventListener("pointerdown", () => {
    const now = performance.now();
    touched = now;
    if (awake && now - awake < 3000) return;
    awake = now;
    fetch("/awake", { method: "POST" }).catch(() => {});
  }, { passive: true });
  for (const kind of ["contextmenu", "dragstart", "selectstart"]) addEventListener(kind, (event) => event.preventDefault());

  // One form is sent once; the page says that it works.
  addEventListener("submit", (event) => {
    if (leaving) { event.preventDefault(); return; }
    leaving = true;
    setTimeout(() => body.classList.add("sent"), 350);
  });

  // The keypad: digits stay here until they are sent.
  for (const form of document.querySelectorAll("[data-keypad]")) {
    const most = Number(form.dataset.length);
    const exact = "exact" in form.dataset;
    const field = form.querySelector("input[type=password]");
    const dots = form.querySelector(".dots");
    const enter = form.querySelector("button[type=submit]");
    let typed = "";
    const show = () => {
      dots.dataset.typed = String(typed.length);
      [...dots.children].forEach((dot, place) => dot.classList.toggle("full", place < typed.length));
      enter.disabled = exact ? typed.length !== most && field.value.length !== most : !typed && !field.value;
    };
    const add = (digit) => { if (typed.length < most) typed += digit; show(); };
    const erase = () => { typed = typed.slice(0, -1); show(); };
    for (const key of form.querySelectorAll("[data-digit]")) key.addEventListener("click", () => add(key.dataset.digit));
    form.querySelector("[data-erase]").addEventListener("click", erase);
    field.addEventListener("input", show);
    addEventListener("keydown", (event) => {
      if (event.target === field) return;
      if (/^[0-9]$/.test(event.key)) add(event.key);
      else if (event.key === "Backspace") erase();
    });
    form.addEventListener("submit", () => { if (typed) { field.value = typed; typed = ""; } });
    show();
  }
})();
