/* Two helps for an installation, both dispensable. A scanned code stands behind the # of the address, which browsers
   do not send: it is put into the form and taken out of the address. A signature can be drawn; what is sent is a path
   of points. Without this file the code is typed and the signature too. */
"use strict";
(function () {
  const code = document.querySelector('input[name="code"]');
  if (code && location.hash.length > 20) {
    code.value = decodeURIComponent(location.hash.slice(1)).slice(0, 160);
    history.replaceState(null, "", location.pathname);
  }

  const box = document.querySelector("[data-draw]");
  if (!box) return;
  const area = box.querySelector("[data-draw-area]");
  const line = area.querySelector("path");
  const field = box.querySelector("[data-draw-path]");
  const MOST = 19000;
  let path = field.value;
  let drawing = false;
  box.hidden = false;
  line.setAttribute("d", path);

  function point(event) {
    const place = area.getBoundingClientRect();
    const x = Math.round(((event.clientX - place.left) / place.width) * 600);
    const y = Math.round(((event.clientY - place.top) / place.height) * 200);
    return Math.min(Math.max(x, 0), 600) + " " + Math.min(Math.max(y, 0), 200);
  }

  function add(letter, event) {
    if (path.length > MOST) return;
    path += (path ? " " : "") + letter + point(event);
    line.setAttribute("d", path);
    field.value = path;
  }

  area.addEventListener("pointerdown", function (event) {
    drawing = true;
    area.setPointerCapture(event.pointerId);
    add("M", event);
    event.preventDefault();
  });
  area.addEventListener("pointermove", function (event) {
    if (drawing) add("L", event);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    area.addEventListener(end, function () {
      drawing = false;
    });
  }
  box.querySelector("[data-draw-clear]").addEventListener("click", function () {
    path = "";
    line.setAttribute("d", "");
    field.value = "";
  });
})();
