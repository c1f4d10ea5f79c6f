// Shows what a choice of time means while it is made. Without this script a button does.
(() => {
  const form = document.querySelector("[data-desk-send]");
  if (!form) return;
  const place = form.querySelector("[data-desk-outlook]");
  const button = form.querySelector("[data-desk-do]");
  const time = form.querySelector("[data-desk-time]");
  const hours = form.querySelector("[data-desk-hours]");
  let asked = 0;

  const chosen = () => form.querySelector("[name=how]:checked")?.value;

  const settle = () => {
    time.hidden = chosen() === "now";
    // By readers' clocks means their evenings too.
    form.querySelector("[name=by_reader]").closest(".desk-field").hidden = chosen() === "local";
    hours.hidden = !form.querySelector("[name=hours]").checked;
    button.textContent = chosen() === "now" ? button.dataset.now : button.dataset.later;
  };

  const look = async () => {
    settle();
    const values = new FormData(form);
    values.delete("csrfmiddlewaretoken");
    const number = ++asked;
    const box = place.parentElement;
    box.dataset.deskBusy = "";
    try {
      const answer = await fetch(`${form.dataset.deskSend}?${new URLSearchParams(values)}`, {
        credentials: "same-origin",
        headers: { "X-Requested-With": "XMLHttpRequest" },
      });
      const html = answer.ok ? await answer.text() : null;
      // An answer that was overtaken would describe another choice.
      if (html !== null && number === asked) place.innerHTML = html;
    } catch {
      // What stands there is about the choice before; the page after confirming says it anew.
    }
    if (number === asked) delete box.dataset.deskBusy;
  };

  settle();
  form.addEventListener("change", look);
})();
