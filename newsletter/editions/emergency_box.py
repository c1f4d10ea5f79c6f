"""Where in a draft the box "Seek emergency care" goes, and with what in it."""

import uuid
from typing import Any

from wagtail.blocks import StreamValue

from newsletter.catalogue.models import Condition
from newsletter.editions.models import Article, Issue
from newsletter.editions.placement import asking_beside_emergency

KIND = "emergency"


def with_box(draft: Issue | Article, condition: Condition | None) -> str:
    """Put the box into `draft`, in memory, and return the new block's id.

    As far up as it can stand: what cannot wait is seen first (standards I3), and nothing that asks
    for money may be beside it. It takes the condition's signs and help lines; without one, somebody
    has to write signs in before it can be sent to review.
    """
    body: StreamValue = draft.body
    block_id = str(uuid.uuid4())
    block = body.stream_block.child_blocks[KIND]
    value: Any = block.normalize({**block.get_default(), "signs": [], "condition": condition})
    blocks = [(child.block_type, child.value, child.id) for child in body]
    for place in range(len(blocks) + 1):
        together = [*blocks[:place], (KIND, value, block_id), *blocks[place:]]
        wanted = StreamValue(body.stream_block, together)
        if not asking_beside_emergency(wanted):
            break
    draft.body = wanted
    return block_id
