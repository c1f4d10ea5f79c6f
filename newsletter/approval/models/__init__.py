from newsletter.approval.models.approval import Approval, Frozen
from newsletter.approval.models.schedule import Schedule

__all__ = ["Approval", "Frozen", "Schedule"]
