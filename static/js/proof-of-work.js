// Does a short sum while the reader fills in the form, so that the guard can tell a browser from a
// machine that sends thousands. ALTCHA's protocol, version 2, spoken with this site alone. Without
// this script, or where it fails, the form works all the same, under stricter limits.
"use strict";
{
  const AT_ONCE = 4; // tries on their way together; the browser does them off the page's thread
  const PATIENCE = 20000; // ms that a pressed button waits for the sum before it goes without
  const SPARE = 15; // s that a solution must still be good for when it is sent

  const bytes = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
  const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const pause = (time) => new Promise((done) => setTimeout(done, time));

  const derive = async ({ nonce, salt, cost, keyLength }, counter) => {
    const password = new Uint8Array(nonce.length + 4);
    password.set(nonce);
    new DataView(password.buffer).setUint32(nonce.length, counter);
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: cost };
    return hex(await crypto.subtle.deriveBits(how, key, keyLength * 8));
  };

  const solve = async (challenge) => {
    const { algorithm, cost, keyLength, keyPrefix, nonce, salt } = challenge.parameters;
    if (algorithm !== "PBKDF2/SHA-256") throw new Error(`unknown algorithm ${algorithm}`);
    const ready = { cost, keyLength, nonce: bytes(nonce), salt: bytes(salt) };
    for (let first = 0; ; first += AT_ONCE) {
      const counters = Array.from({ length: AT_ONCE }, (_, at) => first + at);
      const keys = await Promise.all(counters.map((counter) => derive(ready, counter)));
      const found = keys.findIndex((key) => key.startsWith(keyPrefix));
      if (found >= 0) return { counter: counters[found], derivedKey: keys[found] };
    }
  };

  const watch = (field) => {
    const form = field.form;
    let underWay = null;
    let goodUntil = 0;
    let sending = false;

    const fresh = () => field.value !== "" && Date.now() / 1000 < goodUntil - SPARE;
    const prepare = () => {
      if (fresh() || underWay) return underWay;
      underWay = (async () => {
        const answer = await fetch(field.dataset.challenge, { credentials: "omit", cache: "no-store" });
        if (!answer.ok) throw new Error(`no challenge: ${answer.status}`);
        const challenge = await answer.json();
        const solution = await solve(challenge);
        field.value = btoa(JSON.stringify({ challenge, solution }));
        goodUntil = challenge.parameters.expiresAt;
      })()
        // Not the reader's trouble: the form goes without it.
        .catch((error) => console.warn("The sum could not be done:", error))
        .finally(() => { underWay = null; });
      return underWay;
    };

    const status = document.createElement("p");
    status.className = "hint";
    status.setAttribute("role", "status");
    form.append(status);

    for (const sign of ["focusin", "pointerdown", "input"]) form.addEventListener(sign, prepare);
    // Shown again because something was missing: the next press should find it ready.
    if (document.querySelector(".error-summary")) prepare();

    form.addEventListener("submit", async (event) => {
      if (!sending && fresh()) return;
      event.preventDefault();
      if (sending) return;
      sending = true;
      status.textContent = field.dataset.wait;
      await Promise.race([prepare(), pause(PATIENCE)]);
      HTMLFormElement.prototype.submit.call(form);
    });
    // Back from the next page: what was sent is used up, and the button must work again.
    window.addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      field.value = status.textContent = "";
      sending = false;
    });
  };

  // Web cryptography is there over https and on this machine only.
  if (window.crypto && crypto.subtle) {
    for (const field of document.querySelectorAll("input[name=proof_of_work][data-challenge]")) {
      if (field.form && !field.dataset.watched) {
        field.dataset.watched = "yes";
        watch(field);
      }
    }
  }
}
