"""A sign-up form that stands on somebody else's web site."""

import secrets

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as lazy

from signup.embed import return_pages


def new_public_id() -> str:
    """Return a name for a form's address: short, and not to be guessed from another form's."""
    return secrets.token_hex(8)


def check_return_pages(typed: str) -> None:
    """Refuse a list of pages that is not one exact https address a line."""
    try:
        return_pages.parse(typed)
    except return_pages.BadPage as error:
        raise ValidationError(str(error)) from error


class EmbedForm(models.Model):
    """What one embedded form offers, in which language, and where it may lead back to.

    It offers newsletters and conditions. Where that comes to one thing the form is about it;
    otherwise each has its own unticked box.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    name = models.CharField(
        lazy("name"), max_length=100, help_text=lazy("For you: where the form stands.")
    )
    language = models.CharField(lazy("language"), max_length=10, default="en")
    newsletters = models.ManyToManyField(
        "catalogue.Newsletter", blank=True, related_name="+", verbose_name=lazy("newsletters")
    )
    conditions = models.ManyToManyField(
        "catalogue.Condition", blank=True, related_name="+", verbose_name=lazy("conditions")
    )
    return_pages = models.TextField(
        lazy("pages to return to"),
        blank=True,
        validators=[check_return_pages],
        help_text=lazy(
            "One exact address a line, beginning with https://. Nobody is led anywhere else, and "
            "only scripts of these sites may use the API. Empty: our own page."
        ),
    )
    is_open = models.BooleanField(
        lazy("open"), default=True, help_text=lazy("A closed form takes nobody in.")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = lazy("form for other web sites")
        verbose_name_plural = lazy("forms for other web sites")

    def __str__(self) -> str:
        return self.name

    @property
    def pages(self) -> list[str]:
        """The addresses that a sign-up may lead back to, the first one first."""
        return return_pages.parse(self.return_pages)

    @property
    def origins(self) -> list[str]:
        """The web sites whose scripts may use the API with this form."""
        return list(dict.fromkeys(return_pages.origin_of(page) for page in self.pages))
