"""One's own second factor and other people's, inside the desk. Their names belong to `desk`."""

from django.urls import path

from newsletter.desk.security import own, people

urlpatterns = [
    path("prove/", own.prove, name="prove"),
    path("factor/", own.own_factor, name="own_factor"),
    path("factor/codes/", own.new_codes, name="new_codes"),
    path("factor/take-off/", own.take_off, name="take_off_factor"),
    path("people/", people.people, name="people"),
    path("people/invite/", people.add, name="invite"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/invite/", people.invite_again, name="invite_again"),
    path("people/<int:pk>/leave/", people.see_off, name="leave"),
    path("people/<int:pk>/reset/", people.reset, name="reset_factor"),
]
