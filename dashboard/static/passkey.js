/* Passkeys: asks the service for a challenge, the browser for an answer, and sends it as an ordinary form. There are no
   passkeys without this file: the page offers the authenticator app and one-time codes. */
"use strict";
(function () {
  const forms = Array.from(document.querySelectorAll("form[data-passkey]"));
  if (!forms.length || !window.PublicKeyCredential) return;

  function octets(text) {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  }

  function text(buffer) {
    const plain = Array.from(new Uint8Array(buffer), (octet) => String.fromCharCode(octet)).join("");
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function packed(made) {
    const answer = made.response;
    const response = { clientDataJSON: text(answer.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (answer[name]) response[name] = text(answer[name]);
    }
    return { id: made.id, rawId: text(made.rawId), type: made.type, response: response, clientExtensionResults: {} };
  }

  async function ask(form) {
    const begun = await fetch(form.dataset.begin, {
      method: "POST",
      body: new URLSearchParams({ csrf_token: form.elements.csrf_token.value }),
      credentials: "same-origin",
      redirect: "error",
    });
    if (!begun.ok) throw new Error(String(begun.status));
    const options = await begun.json();
    options.challenge = octets(options.challenge);
    if (form.dataset.passkey === "get") return navigator.credentials.get({ publicKey: options });
    options.user.id = octets(options.user.id);
    for (const known of options.excludeCredentials || []) known.id = octets(known.id);
    return navigator.credentials.create({ publicKey: options });
  }

  for (const form of forms) {
    form.hidden = false;
    const says = form.querySelector("[role=alert]");
    form.addEventListener("submit", function (event) {
      if (form.elements.credential.value) return;
      event.preventDefault();
      says.textContent = "";
      ask(form)
        .then(function (made) {
          form.elements.credential.value = JSON.stringify(packed(made));
          form.submit();
        })
        .catch(function () { says.textContent = form.dataset.failed; });
    });
  }
})();
