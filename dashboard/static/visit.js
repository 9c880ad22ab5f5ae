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
  // Old ones go wherever this script runs; all of them where a visit was signed, and on signing out.
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
  function say(text) { status.textContent = text; status.hidden = !text; }
  function bytes(text) { return Uint8Array.from(atob(text), function (sign) { return sign.charCodeAt(0); }); }
  function text(octets) { return btoa(String.fromCharCode.apply(null, new Uint8Array(octets))); }
  function fields() {
    var found = [];
    new FormData(form).forEach(function (value, name) {
      if (name !== "csrf_token" && name !== "revision" && typeof value === "string") { found.push([name, value]); }
    });
    return found;
  }
  function keep() {
    var iv = crypto.getRandomValues(new Uint8Array(12)), whole = new TextEncoder().encode(JSON.stringify(fields()));
    return crypto.subtle.encrypt({ name: "AES-GCM", iv: iv }, key, whole).then(function (sealed) {
      localStorage.setItem(slot, JSON.stringify({ at: Date.now(), iv: text(iv), sealed: text(sealed) }));
    });
  }
  function fill(found) {
    var place = {}, changed = false;
    found.forEach(function (pair) {
      var all = form.querySelectorAll('[name="' + CSS.escape(pair[0]) + '"]'), one;
      if (all[0] && all[0].type === "radio") {
        all.forEach(function (item) {
          if (item.value === pair[1] && !item.checked) { item.checked = true; changed = true; }
        });
        return;
      }
      one = all[place[pair[0]] || 0];
      place[pair[0]] = (place[pair[0]] || 0) + 1;
      if (one && one.tagName === "INPUT" && one.value !== pair[1]) { one.value = pair[1]; changed = true; }
    });
    return changed;
  }
  function restore() {
    var kept = JSON.parse(localStorage.getItem(slot) || "null");
    if (!kept) { return Promise.resolve(); }
    if (form.dataset.done) { localStorage.removeItem(slot); return Promise.resolve(); }
    return crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes(kept.iv) }, key, bytes(kept.sealed)).then(function (whole) {
      if (fill(JSON.parse(new TextDecoder().decode(whole)))) { say(form.dataset.again); }
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
        // Asked first, so that a dead connection does not lead to the browser's own page.
        return navigator.onLine ? fetch("/health", { cache: "no-store" }) : Promise.reject(new Error("offline"));
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
