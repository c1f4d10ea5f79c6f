"""Compiled messages as they were stored, perhaps by another version of Wellread."""

from newsletter.sending.errors import ContentDamaged, NewerContent
from newsletter.wire.message import CompiledMessage, FormatError, NewerFormat


def read_back(content: bytes) -> CompiledMessage:
    """Raises NewerContent for what a later version compiled, ContentDamaged for what none did."""
    try:
        return CompiledMessage.from_bytes(content)
    except NewerFormat as error:
        raise NewerContent(str(error)) from error
    except FormatError as error:
        raise ContentDamaged(str(error)) from error
