/* Warns before a session ends, and lets its owner stay signed in without leaving the page. Without this file the same
   button opens a tab of its own, and what is typed into a form is kept by the service when the session has ended. */
"use strict";
(function () {
  const form = document.querySelector("[data-stay]");
  if (!form) return;
  const says = form.querySelector("[role=alert]");
  const WARN = 120000;
  let timers = [];

  function say(text) {
    says.hidden = false;
    says.textContent = text;
    form.classList.add("gh-stay--now");
  }

  function plan(seconds) {
    timers.forEach(clearTimeout);
    // A timer of more than 24 days runs at once; sessions are shorter.
    timers = [
      setTimeout(function () { say(form.dataset.warn); }, Math.max(0, seconds * 1000 - WARN)),
      setTimeout(function () { say(form.dataset.over); }, seconds * 1000),
    ];
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      redirect: "error",
    })
      .then(function (answer) {
        const left = Number(answer.headers.get("X-Ends-In"));
        if (!answer.ok || !left) throw new Error(String(answer.status));
        plan(left);
        says.textContent = form.dataset.stayed;
        form.classList.remove("gh-stay--now");
      })
      .catch(function () { say(form.dataset.over); });
  });

  plan(Number(form.dataset.endsIn));
})();
