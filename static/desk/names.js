// Gives a name to what Wagtail's editor leaves without one, for people who hear the page: a block's
// single field and the box of a rich text are named by the heading above them. Sections within
// sections are groups, not landmarks, and the outline can be scrolled by keyboard.
(() => {
  const FIELDS =
    "input:not([type=hidden]):not([type=checkbox]):not([type=radio]), textarea, select, [role=textbox]";

  const isNamed = (field) =>
    field.hasAttribute("aria-label") ||
    field.hasAttribute("aria-labelledby") ||
    Boolean(field.labels && [...field.labels].some((label) => label.textContent.trim()));

  // The nearest label in the field's own row, or the heading of the section it stands in.
  function namerOf(field) {
    const row = field.closest("[data-contentpath]");
    const label = row?.querySelector(":scope > label[id], :scope > .w-field__wrapper > label[id]");
    if (label) return label;
    const own = field.closest(".w-field__wrapper")?.querySelector(":scope > label[id]");
    return own || field.closest("section.w-panel")?.querySelector("[data-panel-heading][id]");
  }

  // "Two columns 3, Picture 1": two pictures in one mail can be told apart by their names alone.
  function nameSection(section) {
    const heading = section.querySelector("[data-panel-heading]");
    if (!heading) return;
    const outer = section.parentElement?.closest("section.w-panel--nested");
    const scope = outer || document;
    const beside = [...scope.querySelectorAll("section.w-panel--nested")].filter(
      (one) => (one.parentElement?.closest("section.w-panel--nested") || null) === (outer || null),
    );
    const kind = (heading.querySelector(".c-sf-block__type") || heading).textContent.trim();
    const own = `${kind.replace(/\s*\*$/, "")} ${beside.indexOf(section) + 1}`;
    const label = outer ? `${outer.getAttribute("aria-label")}, ${own}` : own;
    if (section.getAttribute("aria-label") === label) return;
    section.setAttribute("role", "group");
    section.setAttribute("aria-label", label);
    section.removeAttribute("aria-labelledby");
  }

  function name(root) {
    for (const field of root.querySelectorAll(FIELDS)) {
      if (isNamed(field) || !field.closest("form, .w-panel")) continue;
      const namer = namerOf(field);
      if (namer) field.setAttribute("aria-labelledby", namer.id);
    }
    for (const tags of root.querySelectorAll(".tagit-new input:not([aria-label])")) {
      const label = tags.closest(".w-field__wrapper")?.querySelector("label");
      tags.setAttribute("aria-label", label ? label.textContent.trim() : "Tags");
    }
    const upload = root.querySelector("#fileupload:not([aria-label])");
    if (upload && !isNamed(upload)) upload.setAttribute("aria-label", "Choose pictures");
    for (const section of root.querySelectorAll("section.w-panel--nested")) nameSection(section);
    for (const other of root.querySelectorAll(".w-editing-sessions__session:not([aria-label])")) {
      other.setAttribute("aria-label", "Who else has this open");
    }
    for (const list of root.querySelectorAll(".w-minimap__list:not([tabindex])")) {
      list.setAttribute("tabindex", "0");
    }
  }

  let waiting = false;
  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      name(document);
    });
  }
  document.addEventListener("DOMContentLoaded", () => {
    soon();
    new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
  });
})();
