"""What staff do at the desk, in a browser."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.running.stack import LiveStack


class Staff:
    """One person at the desk, with a browser session of their own."""

    def __init__(
        self, browser: Browser, stack: LiveStack, name: str, *, phone: bool = False
    ) -> None:
        self._stack = stack
        size = (375, 667) if phone else (1280, 900)
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, has_touch=phone, is_mobile=phone
        )
        self.page: Page = context.new_page()
        self.page.goto(stack.url("/admin/login/"))
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(stack.demo_password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def compose(self, *, title: str, subject: str, preheader: str, text: str) -> int:
        """Write an issue with one heading and one paragraph; return its id."""
        page = self.page
        page.goto(self._stack.url("/admin/issues/add/"))
        page.locator("[name=title]").fill(title)
        page.locator("[name=subject]").fill(subject)
        page.locator("[name=preheader]").fill(preheader)
        page.locator("[name=newsletter]").select_option(label="Living well")
        self._add_block("Text", 0)
        editor = page.locator("[data-contentpath=body] [role=textbox]").last
        expect(editor).to_be_editable()
        editor.click()
        expect(editor).to_be_focused()
        page.keyboard.type(text)
        # The editor hands what was typed to the form a moment later.
        expect(page.locator("[name=body-0-value]")).to_have_value(re.compile(re.escape(text)))
        page.get_by_role("button", name="Save draft").click()
        # "Created", or "updated" where the editor had saved it by itself before.
        expect(page.get_by_text(re.compile(r"' (created|updated)\.")).first).to_be_visible()
        return int(page.url.rstrip("/").rpartition("/")[2])

    def _add_block(self, name: str, place: int) -> None:
        body = self.page.locator("[data-contentpath=body]")
        body.get_by_title("Insert a block").nth(place).click()
        self.page.get_by_role("option", name=name, exact=True).click()

    def expect_preview(self, text: str) -> None:
        """Open the live preview beside the form and wait until it shows `text`."""
        self.page.get_by_role("button", name="Toggle preview").click()
        frame = self.page.frame_locator("iframe[title=Preview]").first
        expect(frame.locator("body")).to_contain_text(text, timeout=60_000)

    def way(self, issue: int) -> None:
        self.page.goto(self._stack.url(f"/admin/issues/way/{issue}/"))

    def submit(self, issue: int) -> None:
        self.way(issue)
        self.page.get_by_role("button", name="Send to medical review").click()

    def approve(self, issue: int) -> None:
        self.way(issue)
        self.page.get_by_role("link", name="Read and decide").click()
        self.page.get_by_role("button", name="Approve").click()

    def send_now(self, issue: int) -> None:
        """Confirm the sending and let the moment pass in which it can be undone; ends on the
        mailing's progress page."""
        self.way(issue)
        self.page.get_by_role("link", name="Send or schedule").click()
        self.page.get_by_role("button", name="Send to").click()
        expect(self.page).to_have_url(self._stack.url("/admin/mailings/") + self._mailing_id())

    def _mailing_id(self) -> str:
        self.page.wait_for_url("**/admin/mailings/*/")
        return self.page.url.partition("/admin/mailings/")[2]
