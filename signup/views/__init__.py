"""The public pages of signup. Form in, verb called, redirect out.

No page here sets a cookie, so there is nothing that another site could ride on: what a request
may do is said by the token in its address, or it does what anybody may do (ask for a mail). That
is why every view is exempt from Django's CSRF cookie; docs/privacy.md says it at length.
"""
