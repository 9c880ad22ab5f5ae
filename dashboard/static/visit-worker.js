/* Answers for the pages of a household where there is no connection: with one page that holds nothing about anybody.
   No other page is ever kept. */
"use strict";
var CACHE = "gatehouse-visit-1", SHELL = "/visit-offline", SHEETS = ["/static/govuk.css", "/static/gatehouse.css"];

self.addEventListener("install", function (event) {
  event.waitUntil(caches.open(CACHE).then(function (cache) { return cache.addAll([SHELL].concat(SHEETS)); }));
});
self.addEventListener("activate", function (event) { event.waitUntil(self.clients.claim()); });
self.addEventListener("fetch", function (event) {
  var address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== self.location.origin) { return; }
  if (event.request.mode === "navigate") {
    event.respondWith(fetch(event.request).catch(function () { return caches.match(SHELL); }));
  } else if (SHEETS.indexOf(address.pathname) >= 0) {
    event.respondWith(fetch(event.request).catch(function () { return caches.match(address.pathname); }));
  }
});
