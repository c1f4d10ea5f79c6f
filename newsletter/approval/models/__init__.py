from newsletter.approval.models.approval import Approval, Frozen
from newsletter.approval.models.link_check import LinkCheck
from newsletter.approval.models.reason import Reason
from newsletter.approval.models.review_note import ReviewNote
from newsletter.approval.models.schedule import Schedule
from newsletter.approval.models.sender_domain import SenderDomain

__all__ = ["Approval", "Frozen", "LinkCheck", "Reason", "ReviewNote", "Schedule", "SenderDomain"]
