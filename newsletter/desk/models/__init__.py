from newsletter.desk.models.access_log import AccessEntry
from newsletter.desk.models.canary import DigestCanary
from newsletter.desk.models.medical_review import MedicalReview
from newsletter.desk.models.reader_profile import ReaderProfile
from newsletter.desk.models.recovery_code import RecoveryCode
from newsletter.desk.models.user import User

__all__ = [
    "AccessEntry",
    "DigestCanary",
    "MedicalReview",
    "ReaderProfile",
    "RecoveryCode",
    "User",
]
