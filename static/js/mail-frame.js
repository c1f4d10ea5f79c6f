// Lets a mail stand at its full height in the page. Without this script the frame scrolls.
"use strict";

for (const frame of document.querySelectorAll("iframe[data-mail-frame]")) {
  const fit = () => {
    const mail = frame.contentDocument;
    if (!mail || !mail.body) return;
    frame.style.blockSize = "0";
    frame.style.blockSize = `${mail.documentElement.scrollHeight}px`;
  };
  frame.addEventListener("load", fit);
  window.addEventListener("resize", fit);
  fit();
}
