"""The archive's public addresses."""

from django.urls import path

from newsletter.archive import feeds, sitemap, views

app_name = "archive"

urlpatterns = [
    path("", views.home, name="home"),
    path("conditions/", views.condition_list, name="condition_list"),
    path("conditions/<slug:slug>/", views.condition, name="condition"),
    path("articles/<slug:slug>/", views.article, name="article"),
    path("issues/", views.issue_list, name="issue_list"),
    path("issues/<slug:slug>/", views.issue, name="issue"),
    path("issues/<slug:slug>/mail/", views.issue_mail, name="issue_mail"),
    path("sample/", views.sample, name="sample"),
    path("sample/<slug:slug>/mail/", views.sample_mail, name="sample_mail"),
    path("feeds/conditions/<slug:slug>/", feeds.ConditionFeed(), name="condition_feed"),
    path("feeds/<slug:slug>/", feeds.NewsletterFeed(), name="newsletter_feed"),
    path("pictures/<str:name>", views.picture, name="picture"),
    path("brand.css", views.brand_css, name="brand"),
    path("robots.txt", sitemap.robots, name="robots"),
    path("sitemap.xml", sitemap.index, name="sitemap"),
    path("sitemap-<slug:kind>-<int:number>.xml", sitemap.part, name="sitemap_part"),
]
