// Counts down the moment in which sending can be undone, then goes to the mailing's page.
(() => {
  const place = document.querySelector("[data-desk-waiting]");
  if (!place) return;
  const left = place.querySelector("[data-desk-left]");
  const at = Date.parse(place.dataset.deskAt);
  const before = left.textContent;

  const tick = () => {
    const seconds = Math.ceil((at - Date.now()) / 1000);
    // Only the number and its unit are added: the words around them are the server's, in its language.
    left.textContent = seconds > 0 ? `${before} (${seconds} s)` : before;
  };

  const look = async () => {
    try {
      const answer = await fetch(place.dataset.deskWaiting, { credentials: "same-origin" });
      if (answer.status === 200) {
        location.assign(await answer.text());
        return;
      }
    } catch {
      // The next look may find the server again.
    }
    setTimeout(look, 2000);
  };

  // A screen reader is told once, not every second.
  left.parentElement.setAttribute("aria-live", "off");
  tick();
  setInterval(tick, 1000);
  setTimeout(look, Math.max(1000, at - Date.now()));
})();
