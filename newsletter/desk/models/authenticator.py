"""A member of staff's authenticator app, its secret sealed."""

from binascii import unhexlify
from typing import Any

from django_otp.plugins.otp_totp.models import TOTPDevice

from newsletter.desk.security import sealing


class Authenticator(TOTPDevice):
    """django-otp's device, in whose column `key` a seal stands instead of the secret.

    A row that an earlier version wrote holds the secret itself, in hexadecimal; it still works, and
    check desk.W002 asks for `seal_factors`.
    """

    class Meta:
        proxy = True
        default_permissions: tuple[Any, ...] = ()

    @property
    def bin_key(self) -> bytes:
        """The secret, for making codes. Raises sealing.CannotOpen."""
        if self.is_sealed:
            return sealing.opened(self.key, account=self.user_id)
        return unhexlify(self.key)

    @property
    def is_sealed(self) -> bool:
        return sealing.version_of(self.key) is not None

    def seal(self) -> None:
        """Put the secret under the newest key. Raises sealing.CannotOpen. Does not save."""
        self.key = sealing.seal(self.bin_key, account=self.user_id)
