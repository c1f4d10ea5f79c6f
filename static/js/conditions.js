// Finds conditions while one types, among hundreds of boxes, by name and by synonym. Boxes that are
// ticked stay in sight. Without this script the field searches by loading the page anew.
"use strict";

const plain = (text) =>
  text
    .toLocaleLowerCase()
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);

for (const finder of document.querySelectorAll("[data-finder]")) {
  const input = finder.querySelector("input");
  const shown = finder.querySelector("[name=q_shown]");
  const place = finder.closest("fieldset");
  const status = place.querySelector("[data-finder-status]");
  const rows = [...place.querySelectorAll("[data-names]")].map((row) => ({
    row,
    box: row.querySelector("input"),
    words: plain(row.dataset.names),
  }));
  const groups = [...place.querySelectorAll("[data-group]")].map((group) => ({
    group,
    wasOpen: group.open,
  }));
  let announcing = 0;

  const announce = (text) => {
    // A moment after the last key, so that a screen reader says one number, not five.
    window.clearTimeout(announcing);
    announcing = window.setTimeout(() => {
      status.textContent = text;
    }, 400);
  };

  const find = () => {
    const wanted = plain(input.value);
    // The search is done here: Enter in another field sends the form and does not search again.
    shown.value = input.value;
    let count = 0;
    for (const { row, box, words } of rows) {
      const fits = wanted.every((part) => words.some((word) => word.startsWith(part)));
      row.hidden = !fits && !box.checked;
      if (fits) count += 1;
    }
    for (const { group, wasOpen } of groups) {
      group.hidden = !group.querySelector("[data-names]:not([hidden])");
      if (group.tagName === "DETAILS") {
        const chosen = group.querySelector("input:checked") !== null;
        group.open = wanted.length ? !group.hidden : wasOpen || chosen;
      }
    }
    if (!wanted.length) announce("");
    else if (count) announce(finder.dataset.count.replace("{count}", count));
    else announce(finder.dataset.none);
  };

  finder.querySelector("button").hidden = true;
  input.addEventListener("input", find);
  input.addEventListener("keydown", (event) => {
    // Enter would load the page anew and lose what is filled in.
    if (event.key === "Enter") event.preventDefault();
  });
}
