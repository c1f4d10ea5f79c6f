// “Did you mean gmail.com?” while one types. A hint only: nothing is refused or changed unasked.
// The same rule stands in signup/forms/typos.py for those without this script.
"use strict";

const oneSlip = (typed, known) => {
  if (typed === known || Math.abs(typed.length - known.length) > 1) return false;
  let same = 0;
  while (same < Math.min(typed.length, known.length) && typed[same] === known[same]) same += 1;
  const [rest, wanted] = [typed.slice(same), known.slice(same)];
  if ([wanted.slice(1), wanted].includes(rest.slice(1)) || rest === wanted.slice(1)) return true;
  return rest.slice(0, 2) === wanted[1] + wanted[0] && rest.slice(2) === wanted.slice(2);
};

const suggestion = (typed, domains) => {
  const at = typed.lastIndexOf("@");
  const domain = typed.slice(at + 1).toLowerCase().replace(/\.+$/, "");
  if (at < 1 || typed.length > 254 || domains.includes(domain)) return null;
  const meant = domains.filter((known) => known.length > 6 && oneSlip(domain, known));
  return meant.length === 1 ? `${typed.slice(0, at)}@${meant[0]}` : null;
};

for (const field of document.querySelectorAll("input[data-domains]")) {
  const hint = document.getElementById(`${field.id}-suggestion`);
  const domains = field.dataset.domains.split(" ");

  const describe = (on) => {
    const others = (field.getAttribute("aria-describedby") || "").split(" ");
    const ids = others.filter((id) => id && id !== hint.id);
    if (on) ids.push(hint.id);
    if (ids.length) field.setAttribute("aria-describedby", ids.join(" "));
    else field.removeAttribute("aria-describedby");
  };

  const show = () => {
    const meant = suggestion(field.value.trim(), domains);
    hint.replaceChildren();
    describe(Boolean(meant));
    if (!meant) return;
    const [before, after] = hint.dataset.question.split("{address}");
    const address = document.createElement("strong");
    address.textContent = meant;
    const use = document.createElement("button");
    use.type = "button";
    use.className = "button-link";
    use.textContent = hint.dataset.use;
    use.addEventListener("click", () => {
      field.value = meant;
      hint.replaceChildren();
      describe(false);
      field.focus();
    });
    hint.append(before, address, after || "", " ", use);
  };

  // When the typing rests, so that Tab meets the hint's button before it leaves the field; and
  // never under a finger, or the button that is being pressed would slip away from it.
  let resting = 0;
  let pressed = false;
  const showSoon = (pause) => {
    window.clearTimeout(resting);
    resting = window.setTimeout(() => (pressed ? showSoon(300) : show()), pause);
  };
  for (const name of ["pointerdown", "pointerup", "pointercancel"]) {
    window.addEventListener(name, () => {
      pressed = name === "pointerdown";
    });
  }
  field.addEventListener("change", () => showSoon(300));
  field.addEventListener("input", () => (hint.hasChildNodes() ? show() : showSoon(700)));
  if (field.value) show();
}
