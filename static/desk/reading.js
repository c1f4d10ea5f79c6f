// The reviewer's page: the mail's frame is as tall as the mail, so that nobody scrolls in a
// scroll on a phone; after a refusal the reasons have the focus.
(() => {
  const frame = document.querySelector("[data-desk-fits]");
  const fit = () => {
    const mail = frame.contentDocument;
    if (mail?.body) frame.style.height = `${mail.documentElement.scrollHeight + 2}px`;
  };
  if (frame) {
    frame.addEventListener("load", () => {
      fit();
      for (const image of frame.contentDocument?.images ?? []) image.addEventListener("load", fit);
    });
    if (frame.contentDocument?.readyState === "complete") fit();
    window.addEventListener("resize", fit);
  }
  document.querySelector("[data-desk-refusals]")?.focus();
})();
