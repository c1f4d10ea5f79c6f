"""What the block picker shows before a block is chosen: our drawing of it."""

from typing import Any

TEMPLATE = "desk/block_picture.html"


class Pictured:
    """A block with a drawing of its own: static/desk/blocks/<name of the block>.svg."""

    name: str
    label: Any

    def get_preview_template(self, value: Any, context: Any = None) -> str:
        return TEMPLATE

    def get_preview_context(self, value: Any, parent_context: Any = None) -> dict[str, Any]:
        return {"drawing": f"desk/blocks/{self.name}.svg", "label": self.label}
