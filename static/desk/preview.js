// Switches the preview between mail, phone and text. Without it the links open in the frame at
// the width it has.
(() => {
  const preview = document.querySelector("[data-desk-preview]");
  if (!preview) return;
  const frame = preview.querySelector("iframe");
  const tabs = [...preview.querySelectorAll("a[data-width]")];
  for (const tab of tabs) {
    tab.addEventListener("click", () => {
      for (const other of tabs) other.removeAttribute("aria-current");
      tab.setAttribute("aria-current", "true");
      frame.style.maxWidth = `${tab.dataset.width}px`;
    });
  }
})();
