"""The desk's own addresses, under /admin/."""

from django.urls import include, path, re_path

from newsletter.desk.after import correcting, recalling
from newsletter.desk.views import absence, article_actions, issue_actions, mailing, sending
from newsletter.desk.views.checking import CheckDraft
from newsletter.desk.views.emergency_box import AddEmergencyBox
from newsletter.desk.views.preview import preview
from newsletter.desk.views.reading import ReadAndDecide
from newsletter.desk.views.record import record
from newsletter.desk.views.review import Submit, TakeBack
from newsletter.desk.views.way import ArticleWay, IssueWay
from newsletter.editions.models import Article

app_name = "desk"

urlpatterns = [
    path("issues/way/<int:pk>/", IssueWay.as_view(), name="issue"),
    path("issues/way/<int:pk>/submit/", Submit.as_view(), name="submit_issue"),
    path("issues/way/<int:pk>/take-back/", TakeBack.as_view(), name="take_back_issue"),
    path("issues/way/<int:pk>/test/", issue_actions.test_send, name="test_send"),
    path("", include("newsletter.desk.send.urls")),
    path("", include("newsletter.desk.begin.urls")),
    path("articles/way/<int:pk>/", ArticleWay.as_view(), name="article"),
    path("articles/way/<int:pk>/submit/", Submit.as_view(model=Article), name="submit_article"),
    path(
        "articles/way/<int:pk>/take-back/",
        TakeBack.as_view(model=Article),
        name="take_back_article",
    ),
    path("articles/way/<int:pk>/release/", article_actions.release, name="release"),
    path("articles/way/<int:pk>/withdraw/", article_actions.withdraw, name="withdraw"),
    path("issues/way/<int:pk>/reach/", correcting.reach, name="reach"),
    path("issues/way/<int:pk>/reach/without/", correcting.without, name="without_correction"),
    path("articles/way/<int:pk>/recall/", recalling.recall_article, name="recall_article"),
    path("issues/review/<int:pk>/", ReadAndDecide.as_view(), name="read_issue"),
    path("articles/review/<int:pk>/", ReadAndDecide.as_view(model=Article), name="read_article"),
    path("issues/way/<int:pk>/emergency-box/", AddEmergencyBox.as_view(), name="add_box_to_issue"),
    path(
        "articles/way/<int:pk>/emergency-box/",
        AddEmergencyBox.as_view(model=Article),
        name="add_box_to_article",
    ),
    path("issues/check/", CheckDraft.as_view(), name="check_new_issue"),
    path("issues/check/<int:pk>/", CheckDraft.as_view(), name="check_issue"),
    path("articles/check/", CheckDraft.as_view(model=Article), name="check_new_article"),
    path("articles/check/<int:pk>/", CheckDraft.as_view(model=Article), name="check_article"),
    path("sign-offs/<int:pk>/", record, name="record"),
    path("away/", absence.absence, name="absence"),
    path("looks/", include("newsletter.desk.looks.urls")),
    path("feeds/look/", include("newsletter.desk.feeds.urls")),
    path("preview/<str:kind>/<int:pk>/<str:form>/", preview, name="preview"),
    path("mailings/", mailing.mailing_list, name="mailings"),
    path("mailings/<int:pk>/", mailing.mailing_page, name="mailing"),
    path("mailings/<int:pk>/panel/", mailing.mailing_panel, name="mailing_panel"),
    path("mailings/<int:pk>/correct/", correcting.correct, name="correct"),
    path("mailings/<int:pk>/recall/", recalling.recall_mailing, name="recall_mailing"),
    path("digests/", include("newsletter.desk.digests.urls")),
    path("sending/", sending.sending_page, name="sending"),
    path("consent/", include("newsletter.desk.viewsets.consent_urls")),
    path("readers/", include("newsletter.desk.readers.urls")),
    path("security/", include("newsletter.desk.security.desk_urls")),
    re_path(
        r"^mailings/(?P<pk>\d+)/(?P<lever>pause|resume|cancel)/$",
        mailing.mailing_lever,
        name="mailing_lever",
    ),
]
