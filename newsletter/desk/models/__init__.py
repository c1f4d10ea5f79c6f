from newsletter.desk.models.access_log import AccessEntry
from newsletter.desk.models.authenticator import Authenticator
from newsletter.desk.models.medical_review import MedicalReview
from newsletter.desk.models.recovery_code import RecoveryCode
from newsletter.desk.models.user import User

__all__ = ["AccessEntry", "Authenticator", "MedicalReview", "RecoveryCode", "User"]
