// Inserts a word in braces, such as {first_name|there}, where the caret is: a menu after each
// field that may hold one, and one under each rich text. Without it the tags are typed.
(() => {
  const LABEL = "Insert a reader's or our own word";

  function menuOf(entries, insert) {
    const menu = document.createElement("select");
    menu.className = "desk-merge-tags";
    menu.setAttribute("aria-label", LABEL);
    menu.append(new Option("Insert …", ""));
    for (const { label, tag } of entries) menu.append(new Option(label, tag));
    menu.addEventListener("change", () => {
      if (menu.value) insert(menu.value);
      menu.selectedIndex = 0;
    });
    return menu;
  }

  class MergeTags extends window.StimulusModule.Controller {
    static values = { menu: Array };

    connect() {
      const field = this.element;
      this.menu = menuOf(this.menuValue, (tag) => {
        const at = field.selectionStart ?? field.value.length;
        field.setRangeText(tag, at, field.selectionEnd ?? at, "end");
        field.dispatchEvent(new Event("input", { bubbles: true }));
        field.dispatchEvent(new Event("change", { bubbles: true }));
        field.focus();
      });
      field.after(this.menu);
    }

    disconnect() {
      this.menu.remove();
    }
  }
  window.wagtail.app.register("merge-tags", MergeTags);

  if (!window.draftail || !window.React) return;
  const { createElement } = window.React;
  const entries = JSON.parse(document.getElementById("desk-merge-tags")?.textContent || "[]");

  function RichTextMenu({ getEditorState, onChange }) {
    const insert = (event) => {
      const tag = event.target.value;
      event.target.selectedIndex = 0;
      if (!tag) return;
      const state = getEditorState();
      const { Modifier, EditorState } = window.DraftJS;
      const content = Modifier.replaceText(state.getCurrentContent(), state.getSelection(), tag);
      onChange(EditorState.push(state, content, "insert-characters"));
    };
    return createElement(
      "select",
      { className: "desk-merge-tags", "aria-label": LABEL, onChange: insert, value: "" },
      createElement("option", { value: "" }, "Insert …"),
      ...entries.map(({ label, tag }) => createElement("option", { key: tag, value: tag }, label)),
    );
  }
  window.draftail.registerPlugin({ type: "MERGE_TAGS", meta: RichTextMenu }, "controls");
})();
