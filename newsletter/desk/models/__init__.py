from newsletter.desk.models.medical_review import MedicalReview
from newsletter.desk.models.user import User

__all__ = ["MedicalReview", "User"]
