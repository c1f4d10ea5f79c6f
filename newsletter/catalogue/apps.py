from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "newsletter.catalogue"
    label = "catalogue"
