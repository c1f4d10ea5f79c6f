from newsletter.catalogue.models.condition import Condition
from newsletter.catalogue.models.help_line import HelpLine
from newsletter.catalogue.models.newsletter import Newsletter
from newsletter.catalogue.models.public_words import PublicWords
from newsletter.catalogue.models.publisher import Publisher
from newsletter.catalogue.models.release_counter import ReleaseCounter

__all__ = ["Condition", "HelpLine", "Newsletter", "PublicWords", "Publisher", "ReleaseCounter"]
