"""What can stand in the way of sending."""


class NotApproved(Exception):
    """This very content was not signed off. The message says to staff what is missing."""


class OriginalGoesOut(NotApproved):
    """A correction waits until nobody new can get what it corrects."""


class OtherReaders(NotApproved):
    """A correction was moved to a newsletter whose readers never had the original."""


class NotPossible(Exception):
    """A mailing cannot go from its state to the one asked for."""


class LostLease(Exception):
    """Another worker has the batch: nothing more may be sent or written for it."""


class BooksHaveGap(Exception):
    """Earlier outcomes of the batch could not be written, so later ones wait for them."""


class OutOfBalance(Exception):
    """A statement changed other rows than it should have; its transaction was rolled back."""


class ContentDamaged(Exception):
    """What was frozen at approval cannot be read, or is not what was approved."""


class NewerContent(Exception):
    """A later version compiled it, in the middle of a deploy: a worker of that version can."""
