// "Save draft" goes after the autosave that is on its way, not beside it. Beside it, an issue that
// is saved for the first time would be made twice, and older words could come in last.
(() => {
  const ACTIVE = "data-w-autosave-active-value";
  // Milliseconds; a network that is down is no reason not to try.
  const LONGEST_WAIT = 5000;
  let onItsWay = null;

  document.addEventListener("w-autosave:save", (event) => {
    onItsWay = event.target;
  });
  for (const ended of ["success", "error"])
    document.addEventListener(`w-autosave:${ended}`, () => {
      onItsWay = null;
    });

  const submit = (event) => {
    const form = event.target;
    if (!form.matches?.("[data-edit-form]")) return;
    // What is sent now is the newest there is.
    form.setAttribute(ACTIVE, "false");
    if (onItsWay !== form) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { submitter } = event;
    const waiting = new AbortController();
    const go = () => {
      waiting.abort();
      clearTimeout(timer);
      onItsWay = null;
      // It shows that it is at work by then, and a button that is off is not said to be pressed.
      const off = submitter?.disabled;
      if (off) submitter.disabled = false;
      form.requestSubmit(submitter);
      if (off) submitter.disabled = true;
    };
    const timer = setTimeout(go, LONGEST_WAIT);
    for (const ended of ["success", "error"])
      document.addEventListener(`w-autosave:${ended}`, go, { signal: waiting.signal });
  };
  // Before Wagtail's own, which takes the page for left from then on.
  document.addEventListener("submit", submit, { capture: true });
  // Come back to, because the page that should have followed could not be had.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelector("[data-edit-form]")?.removeAttribute(ACTIVE);
  });
})();
