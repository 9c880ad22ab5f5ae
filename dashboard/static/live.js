/* Looks again every few seconds and replaces the live part of the page, only when it has changed.
   Typed text is outside the live part; focus and opened details inside it are kept. Pauses while the
   tab is hidden. Without this file the page has a Refresh link. */
"use strict";
(function () {
  const live = document.querySelector("[data-live]");
  if (!live) return;
  const checked = document.querySelector("[data-checked]");
  const announce = document.querySelector("[data-announce]");
  const pause = Math.max(50, Number(live.dataset.seconds) * 1000);
  const LONGEST = 60000;
  let etag = live.dataset.etag;
  let failures = 0;
  let timer = 0;
  let over = false;
  let busy = false;

  function swap(text) {
    const open = Array.from(live.querySelectorAll("details[open][id]"), (item) => item.id);
    const focused = live.contains(document.activeElement) ? document.activeElement.id : "";
    const fresh = new DOMParser().parseFromString(text, "text/html");
    live.replaceChildren(...fresh.body.childNodes);
    for (const id of open) {
      const item = document.getElementById(id);
      if (item) item.open = true;
    }
    const again = focused && document.getElementById(focused);
    if (again) again.focus({ preventScroll: true });
    const heading = live.querySelector("[data-heading]");
    announce.textContent = heading ? heading.textContent : "This page was updated";
  }

  function say(text) {
    checked.textContent = text;
  }

  async function look() {
    timer = 0;
    if (busy) return;
    busy = true;
    try {
      const answer = await fetch(live.dataset.live, {
        headers: { "If-None-Match": '"' + etag + '"' },
        cache: "no-store",
        credentials: "same-origin",
        redirect: "error",
      });
      if (answer.status === 401) {
        say(checked.textContent + ". You are signed out: refresh to sign in again.");
        over = true;
        busy = false;
        return;
      }
      if (answer.status !== 304 && answer.status !== 200) throw new Error(String(answer.status));
      if (answer.status === 200) {
        swap(await answer.text());
        etag = (answer.headers.get("ETag") || "").replace(/^W\/|"/g, "");
      }
      say(answer.headers.get("X-Checked"));
      failures = 0;
      over = answer.headers.get("X-Done") === "1";
    } catch (error) {
      failures += 1;
      if (failures === 3) say(checked.textContent + ". The service has not answered since.");
    }
    busy = false;
    plan();
  }

  function plan() {
    if (over || busy || timer || document.hidden) return;
    timer = setTimeout(look, Math.min(Math.max(LONGEST, pause), pause * Math.pow(2, Math.min(failures, 10))));
  }

  document.addEventListener("visibilitychange", function () {
    if (document.hidden) {
      clearTimeout(timer);
      timer = 0;
    } else if (!over && !timer) {
      look();
    }
  });
  plan();
})();
