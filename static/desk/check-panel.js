// Preflight beside the form: the form as it stands goes to the desk a moment after each change,
// the findings come back. "Go there" opens what is folded and moves the focus into the field.
(() => {
  const WAIT = 900;
  const LINKS_AGAIN = 15000;
  const BOOKKEEPING = /^(csrfmiddlewaretoken|next|.*revision_(id|created_at)|hydrate_.*)$/;

  const start = () => {
    const panel = document.querySelector("[data-desk-check]");
    const form = document.querySelector("[data-edit-form]") ?? document.getElementById("w-editor-form");
    if (!panel || !form || panel.dataset.deskStarted) return;
    panel.dataset.deskStarted = "1";
    const shown = panel.querySelector("[data-desk-findings]");
    const unreached = panel.querySelector("[data-desk-unreached]");
    let timer;
    let last = "";
    let asking = null;
    let triesForLinks = 0;

    const ask = async (force) => {
      const data = new FormData(form);
      const written = new URLSearchParams([...data].filter(([, value]) => typeof value === "string"));
      // Autosave counts its revisions in hidden fields; the mail is the same.
      const key = [...written].filter(([name]) => !BOOKKEEPING.test(name)).join("\n");
      if (!force && key === last) return;
      last = key;
      asking?.abort();
      asking = new AbortController();
      shown.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(panel.dataset.deskCheck, {
          method: "POST",
          body: written,
          signal: asking.signal,
          headers: { "X-Requested-With": "XMLHttpRequest" },
        });
        if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
        show(await answer.text());
        unreached.hidden = true;
      } catch (error) {
        if (error.name === "AbortError") return;
        last = "";
        unreached.hidden = false;
      }
      shown.setAttribute("aria-busy", "false");
    };

    const show = (html) => {
      const focused = document.activeElement?.getAttribute?.("href");
      shown.innerHTML = html;
      if (focused) shown.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
      const sum = shown.querySelector("[data-desk-errors]");
      count(Number(sum?.dataset.deskErrors ?? 0), Number(sum?.dataset.deskWarnings ?? 0));
      // The task that tries links has its answer soon; a few looks are enough.
      if (Number(sum?.dataset.deskAsked ?? 0) && triesForLinks < 4) {
        triesForLinks += 1;
        setTimeout(() => ask(true), LINKS_AGAIN);
      }
    };

    const count = (errors, warnings) => {
      const badge = document.querySelector(
        '[data-side-panel-toggle="desk-check"] [data-side-panel-toggle-counter]',
      );
      if (!badge) return;
      badge.textContent = String(errors + warnings);
      badge.hidden = errors + warnings === 0;
    };

    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(() => ask(false), WAIT);
    };

    form.addEventListener("input", soon);
    form.addEventListener("change", soon);
    // Blocks that are moved, added or taken out fire no input event.
    new MutationObserver(soon).observe(form, { childList: true, subtree: true });
    document.addEventListener("w-autosave:success", soon);
    shown.addEventListener("click", goThere);
    ask(true);
  };

  const goThere = (event) => {
    const link = event.target.closest("[data-desk-goto]");
    if (!link) return;
    const place = find(link);
    if (!place) return;
    event.preventDefault();
    for (let above = place; above; above = above.parentElement?.closest("[data-panel]")) {
      const toggle = above.querySelector?.("[data-panel-toggle]");
      if (toggle?.getAttribute("aria-expanded") === "false") toggle.click();
    }
    const field = place.control ?? (place.matches(FIELDS) ? place : [...place.querySelectorAll(FIELDS)].find(seen));
    place.scrollIntoView({ block: "center" });
    (field ?? focusable(place)).focus({ preventScroll: true });
  };

  const FIELDS =
    'input:not([type="hidden"]), textarea, select, [contenteditable="true"], button[data-chooser-action-choose]';
  const seen = (element) => element.offsetParent !== null && !element.disabled;
  const focusable = (place) => {
    place.setAttribute("tabindex", "-1");
    return place;
  };
  const find = (link) => {
    const id = decodeURIComponent(link.hash.slice(1));
    const named = link.dataset.deskField;
    return (
      document.getElementById(id) ??
      (named ? document.getElementById(`id_${named}`) : null) ??
      document.querySelector(`[data-contentpath="${CSS.escape(id.replace(/^block-|-section$/g, ""))}"]`) ??
      (named ? document.getElementById(`panel-child-${named}-section`) : null)
    );
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
