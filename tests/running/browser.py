"""The system's chromium, driven by playwright."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_SETTLED = """async () => {
  await document.fonts.ready;
  // Scripts that wait for the page have run, and their changes are on the screen.
  for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  const ends = document.getAnimations()
    .filter(one => Number.isFinite(one.effect?.getComputedTiming().endTime))
    .map(one => one.finished.catch(() => null));
  await Promise.race([Promise.all(ends), new Promise(done => setTimeout(done, 3000))]);
}"""
# An option of axe: to tell what is good as well would take it longer than finding what is wrong.
VIOLATIONS = {"resultTypes": ["violations"]}
# Of every page it opens, chromium makes two more for suggestions that nobody sees, which costs more
# than the page itself. It hears the last list only, so Playwright's own is said again here.
WITHOUT = (
    "OmniboxPopupWebUI",
    "PreloadTopChromeWebUI",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopup",
    # Playwright's.
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def skip_loudly(reason: str) -> None:
    """Skip, or fail where skipping is forbidden (.ci/run)."""
    if os.environ.get("WELLREAD_FORBID_SKIPS") == "1":
        pytest.fail(f"{reason} (and WELLREAD_FORBID_SKIPS=1)", pytrace=False)
    pytest.skip(reason)


@contextlib.contextmanager
def chromium() -> Iterator["Browser"]:
    """Start the system's chromium once; skips loudly where there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        skip_loudly("NO BROWSER TESTS: install chromium (apt-get install chromium)")
    from playwright.sync_api import expect, sync_playwright

    # Patience for a machine that does much else; nobody waits longer for what comes.
    expect.set_options(timeout=30_000)
    flags = ["--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
    flags.append(f"--disable-features={','.join(WITHOUT)}")
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        try:
            yield browser
        finally:
            browser.close()


def settle(page: "Page") -> None:
    """Wait until the page is loaded and drawn, and what moves into place has come to rest."""
    page.wait_for_load_state("load")
    page.evaluate(_SETTLED)
