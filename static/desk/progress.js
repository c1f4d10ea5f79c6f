// Fetches the moving part of a mailing's page while the mailing moves. Without this script the
// page shows the same numbers and a link to look again.
(() => {
  const place = document.querySelector("[data-desk-progress]");
  if (!place || !place.querySelector("[data-desk-moves]")) return;
  const every = 2000;

  const look = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(place.dataset.deskProgress, {
          credentials: "same-origin",
          headers: { "X-Requested-With": "XMLHttpRequest" },
        });
        if (answer.ok) show(await answer.text());
      } catch {
        // The next look may find the server again; what is shown stays true until then.
      }
    }
    if (place.querySelector("[data-desk-moves]")) setTimeout(look, every);
  };

  const show = (html) => {
    // A button that has the focus must not vanish under the finger.
    const focused = place.contains(document.activeElement)
      ? document.activeElement.getAttribute("href")
      : null;
    // What was opened stays open.
    const opened = [...place.querySelectorAll("details[open]")].map((one) => one.dataset.deskKeep);
    place.innerHTML = html;
    for (const name of opened) {
      place.querySelector(`details[data-desk-keep="${name}"]`)?.setAttribute("open", "");
    }
    if (focused) place.querySelector(`a[href="${focused}"]`)?.focus();
  };

  setTimeout(look, every);
})();
