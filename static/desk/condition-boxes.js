// Finding one condition among hundreds: what does not fit what is typed goes out of sight, what is
// ticked stays.
(() => {
  const plain = (text) =>
    text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();

  function find(boxes, typed) {
    const words = plain(typed).split(/\s+/).filter(Boolean);
    let found = 0;
    for (const group of boxes.querySelectorAll("fieldset")) {
      let shown = 0;
      for (const label of group.querySelectorAll("label")) {
        const fits = words.every((word) => plain(label.textContent).includes(word));
        label.hidden = !fits && !label.querySelector("input").checked;
        if (fits) found += 1;
        if (!label.hidden) shown += 1;
      }
      group.hidden = !shown;
    }
    const none = boxes.querySelector("[data-none]");
    none.textContent = found ? "" : none.dataset.none;
  }

  function start() {
    for (const finder of document.querySelectorAll(".desk-boxes__finder[hidden]")) {
      const field = finder.querySelector("[data-desk-boxes-find]");
      finder.hidden = false;
      field.addEventListener("input", () => find(finder.parentElement, field.value));
      // Enter looks, and does not send the form.
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter") event.preventDefault();
      });
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
