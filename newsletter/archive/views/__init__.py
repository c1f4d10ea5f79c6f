"""The public pages. Each answers GET and HEAD only, and changes nothing."""

from newsletter.archive.views.articles import article
from newsletter.archive.views.brand import brand_css
from newsletter.archive.views.conditions import condition, condition_list
from newsletter.archive.views.home import home
from newsletter.archive.views.issues import issue, issue_list, issue_mail
from newsletter.archive.views.pictures import picture
from newsletter.archive.views.sample import sample, sample_mail

__all__ = [
    "article",
    "brand_css",
    "condition",
    "condition_list",
    "home",
    "issue",
    "issue_list",
    "issue_mail",
    "picture",
    "sample",
    "sample_mail",
]
