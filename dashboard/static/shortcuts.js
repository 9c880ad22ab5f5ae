/* Single keys for those who want them: off until switched on here, for this browser alone (WCAG 2.1.4). A key does what
   a link of the page does, never anything else, and nothing while something is typed. */
"use strict";
(function () {
  const box = document.querySelector("[data-shortcuts]");
  const tick = document.getElementById("shortcuts");
  if (!box || !tick) return;
  const KEPT = "gatehouse-shortcuts";
  const KEYS = { n: "start", d: "to-decide", s: "review-skip", t: "to-today" };
  let on = false;
  try {
    on = localStorage.getItem(KEPT) === "1";
  } catch (error) {
    on = false;
  }
  tick.checked = on;
  box.hidden = false;
  tick.addEventListener("change", function () {
    on = tick.checked;
    try {
      localStorage.setItem(KEPT, on ? "1" : "0");
    } catch (error) {
      on = tick.checked;
    }
  });
  document.addEventListener("keydown", function (event) {
    if (!on || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    const at = event.target;
    if (at instanceof HTMLElement && at.closest("textarea, select, [contenteditable], input:not([type=checkbox])")) return;
    const found = document.getElementById(KEYS[event.key.toLowerCase()] || "");
    if (!found) return;
    event.preventDefault();
    if (event.key.toLowerCase() === "d") {
      const decide = document.getElementById("decide");
      if (decide) decide.focus();
    } else {
      found.click();
    }
  });
})();
