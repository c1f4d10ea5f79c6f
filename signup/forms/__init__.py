"""What may be typed, and what is said when it is wrong."""

from signup.forms.asking import ConditionSignUpForm, SignUpForm, UnfinishedSignUpForm
from signup.forms.guarded import AddressForm, GuardedForm
from signup.forms.preferences import PreferencesForm, UnfinishedPreferencesForm

__all__ = [
    "AddressForm",
    "ConditionSignUpForm",
    "GuardedForm",
    "PreferencesForm",
    "SignUpForm",
    "UnfinishedPreferencesForm",
    "UnfinishedSignUpForm",
]
