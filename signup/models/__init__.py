from signup.models.consent import ConsentEntry, ConsentSubject, ConsentText
from signup.models.request import SignUp
from signup.models.subscriber import Follow, Subscriber
from signup.models.subscription import Subscription
from signup.models.suppression import Suppression
from signup.models.system_mail import SystemMail

__all__ = [
    "ConsentEntry",
    "ConsentSubject",
    "ConsentText",
    "Follow",
    "SignUp",
    "Subscriber",
    "Subscription",
    "Suppression",
    "SystemMail",
]
