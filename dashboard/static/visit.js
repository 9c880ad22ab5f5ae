/* A visit's sheet without a connection. What is typed is kept in this browser until it was saved, for a day at most,
   sealed (AES-GCM) with a key that comes with the page and is stored nowhere in the browser: whoever finds the phone
   finds nothing to read. Without scripts the sheet is a plain form. */
(function () {
  "use strict";
  var PREFIX = "gatehouse-visit-", DAY = 86400000;
  var form = document.getElementById("sheet");

  function each(work) {
    Object.keys(localStorage).forEach(function (name) { if (name.indexOf(PREFIX) === 0) { work(name); } });
  }
  // Old ones go wherever this script runs; all of them where a visit was signed, and on signing out from a visit's page.
  each(function (name) {
    var kept = null;
    try { kept = JSON.parse(localStorage.getItem(name)); } catch (error) { kept = null; }
    if (!kept || !(Date.now() - kept.at < DAY)) { localStorage.removeItem(name); }
  });
  function forget() { each(function (name) { localStorage.removeItem(name); }); }
  if (document.querySelector("[data-forget-visit]")) { forget(); }
  document.querySelectorAll('form[action="/sign-out"]').forEach(function (out) { out.addEventListener("submit", forget); });
  if (!form || !form.dataset.keep || !window.crypto || !window.crypto.subtle) { return; }

  var slot = PREFIX + form.dataset.visit, status = document.querySelector("[data-kept]"), key = null, timer = 0;
  var saved = document.querySelector("[data-saved]");
  var before = {}; // what was typed earlier and is not saved, by field
  function say(text) {
    status.textContent = text;
    status.hidden = !text;
    if (text && saved) { saved.hidden = true; } // of what was typed before
  }
  function bytes(text) { return Uint8Array.from(atob(text), function (sign) { return sign.charCodeAt(0); }); }
  function text(octets) { return btoa(String.fromCharCode.apply(null, new Uint8Array(octets))); }
  function revision() { return form.elements.revision.value; }
  // Only what differs from the page as it came: what somebody else saved meanwhile is not typed over.
  function fields() {
    var found = Object.assign({}, before), place = {};
    form.querySelectorAll("input[name]").forEach(function (one) {
      if (one.type === "hidden") { return; }
      if (one.type === "radio") {
        if (one.checked && (!one.defaultChecked || one.name in found)) { found[one.name] = one.value; }
        return;
      }
      var at = place[one.name] || 0, name = one.name + " " + at;
      place[one.name] = at + 1;
      if (one.value !== one.defaultValue || name in found) { found[name] = one.value; }
    });
    return found;
  }
  function keep() {
    var iv = crypto.getRandomValues(new Uint8Array(12)), whole = new TextEncoder().encode(JSON.stringify(fields()));
    return crypto.subtle.encrypt({ name: "AES-GCM", iv: iv }, key, whole).then(function (sealed) {
      localStorage.setItem(slot, JSON.stringify({ at: Date.now(), of: revision(), iv: text(iv), sealed: text(sealed) }));
    });
  }
  function fill(found) {
    var place = {}, changed = false;
    before = found;
    form.querySelectorAll("input[name]").forEach(function (one) {
      if (one.type === "hidden") { return; }
      if (one.type === "radio") {
        if (found[one.name] === one.value && !one.checked) { one.checked = true; changed = true; }
        return;
      }
      var at = place[one.name] || 0, value = found[one.name + " " + at];
      place[one.name] = at + 1;
      if (value !== undefined && one.value !== value) { one.value = value; changed = true; }
    });
    return changed;
  }
  function restore() {
    var kept = JSON.parse(localStorage.getItem(slot) || "null");
    if (!kept) { return Promise.resolve(); }
    // Saved just now: unless it was typed after that, into the same page.
    if (form.dataset.done && kept.of !== revision()) { localStorage.removeItem(slot); return Promise.resolve(); }
    return crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes(kept.iv) }, key, bytes(kept.sealed)).then(function (whole) {
      if (fill(JSON.parse(new TextDecoder().decode(whole)))) {
        say(form.dataset.again);
      } else if (kept.of !== revision()) { // all of it has been saved
        before = {};
        localStorage.removeItem(slot);
      }
    }, function () { localStorage.removeItem(slot); }); // another account's: its key is not ours
  }
  function changed() {
    clearTimeout(timer);
    timer = setTimeout(function () { keep().then(function () { form.dataset.kept = "1"; }); }, 200);
    delete form.dataset.kept;
  }

  crypto.subtle.importKey("raw", bytes(form.dataset.keep), "AES-GCM", false, ["encrypt", "decrypt"]).then(function (own) {
    key = own;
    form.removeAttribute("data-keep");
    return restore();
  }).then(function () {
    form.addEventListener("input", changed);
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      clearTimeout(timer);
      keep().then(function () {
        // Asked first, so that a dead connection does not lead to the browser's own page. What the browser believes of
        // its connection is not asked: it is wrong where there is a way to this service alone.
        var late = AbortSignal.timeout ? AbortSignal.timeout(10000) : undefined;
        return fetch("/health", { cache: "no-store", signal: late });
      }).then(function (answer) {
        var next = document.createElement("input");
        if (!answer.ok) { throw new Error("no answer"); }
        next.type = "hidden";
        next.name = "next";
        next.value = event.submitter ? event.submitter.value : "stay";
        form.appendChild(next);
        form.submit();
      }).catch(function () { form.dataset.kept = "1"; say(form.dataset.noConnection); });
    });
    window.addEventListener("online", function () { if (localStorage.getItem(slot)) { say(form.dataset.back); } });
    form.dataset.ready = "1";
    if (navigator.serviceWorker) { navigator.serviceWorker.register("/visit-worker.js", { scope: "/households/" }).catch(function () {}); }
  });
}());
