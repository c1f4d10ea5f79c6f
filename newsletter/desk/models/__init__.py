from newsletter.desk.models.absence import Absence
from newsletter.desk.models.access_log import AccessEntry
from newsletter.desk.models.authenticator import Authenticator
from newsletter.desk.models.canary import DigestCanary
from newsletter.desk.models.departure import Departure, Handover
from newsletter.desk.models.invitation import Invitation
from newsletter.desk.models.medical_review import MedicalReview
from newsletter.desk.models.reader_profile import ReaderProfile
from newsletter.desk.models.recovery_code import RecoveryCode
from newsletter.desk.models.review_request import ReviewRequest
from newsletter.desk.models.review_summary import ReviewSummary
from newsletter.desk.models.scope import Scope
from newsletter.desk.models.user import User

__all__ = [
    "Absence",
    "AccessEntry",
    "Authenticator",
    "Departure",
    "DigestCanary",
    "Handover",
    "Invitation",
    "MedicalReview",
    "ReaderProfile",
    "RecoveryCode",
    "ReviewRequest",
    "ReviewSummary",
    "Scope",
    "User",
]
