"""A picture, with words for those who do not see it."""

from django.utils.translation import gettext_lazy as _
from wagtail.images.blocks import ImageBlock

from newsletter.editions.blocks.picture import Pictured


class PictureBlock(Pictured, ImageBlock):
    """wagtail's own block refuses a picture that has no alt text and is not marked decorative."""

    class Meta:
        label = _("Image")
        icon = "image"
        group = _("Articles and pictures")
        description = _("A picture, with words for those who do not see it.")
