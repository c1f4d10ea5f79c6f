"""The data-protection role's pages, under /admin/consent/. Their names belong to `desk`."""

from django.urls import path

from newsletter.desk.viewsets import (
    consent_imports,
    consent_proof,
    consent_renewals,
    consent_texts,
)

urlpatterns = [
    path("", consent_texts.overview, name="consent"),
    path("wording/<str:purpose>/<str:language>/", consent_texts.wording, name="consent_wording"),
    path("draft/<int:pk>/approve/", consent_texts.approve, name="approve_wording"),
    path("draft/<int:pk>/discard/", consent_texts.discard, name="discard_wording"),
    path("renewals/", consent_renewals.renewals, name="renewals"),
    path("renewals/<int:pk>/cancel/", consent_renewals.cancel, name="cancel_renewal"),
    path("terms/<int:pk>/", consent_renewals.term, name="consent_term"),
    path("import/", consent_imports.import_readers, name="import_readers"),
    path("proof/<int:pk>/", consent_proof.proof, name="consent_proof"),
]
