from newsletter.sending.models.alarm import Alarm
from newsletter.sending.models.alert import AlertForm, SafetyAlert
from newsletter.sending.models.delivery import Batch, Delivery
from newsletter.sending.models.digest_frame import DigestFrame
from newsletter.sending.models.digest_mark import DigestMark
from newsletter.sending.models.limits import DomainLimit, SendingDay, WarmUp
from newsletter.sending.models.mailing import Edition, Mailing
from newsletter.sending.models.recall import Recall
from newsletter.sending.models.wave import Wave

__all__ = [
    "Alarm",
    "AlertForm",
    "Batch",
    "Delivery",
    "DigestFrame",
    "DigestMark",
    "DomainLimit",
    "Edition",
    "Mailing",
    "Recall",
    "SafetyAlert",
    "SendingDay",
    "WarmUp",
    "Wave",
]
