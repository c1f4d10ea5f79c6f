from signup.models.address_change import AddressChange
from signup.models.alarm import SignUpAlarm
from signup.models.asked import Asked
from signup.models.consent import (
    ConsentEntry,
    ConsentSubject,
    ConsentTerm,
    ConsentText,
    LedgerSeal,
)
from signup.models.embed_form import EmbedForm
from signup.models.parting import Parting
from signup.models.renewal import Renewal, RenewalQuestion
from signup.models.request import SignUp
from signup.models.retirement import Retirement
from signup.models.subscriber import Follow, Subscriber
from signup.models.subscription import Subscription
from signup.models.suppression import Suppression
from signup.models.system_mail import SystemMail

__all__ = [
    "AddressChange",
    "Asked",
    "ConsentEntry",
    "ConsentSubject",
    "ConsentTerm",
    "ConsentText",
    "EmbedForm",
    "Follow",
    "LedgerSeal",
    "Parting",
    "Renewal",
    "RenewalQuestion",
    "Retirement",
    "SignUp",
    "SignUpAlarm",
    "Subscriber",
    "Subscription",
    "Suppression",
    "SystemMail",
]
