from django.apps import AppConfig


class RenderingConfig(AppConfig):
    name = "newsletter.rendering"
    label = "rendering"

    def ready(self) -> None:
        # Content cannot import what renders it; it asks this registry (editions.models.preview).
        from newsletter.editions.models import preview as desk_preview
        from newsletter.rendering.preview import preview_article, preview_issue

        desk_preview.register("editions.issue", preview_issue)
        desk_preview.register("editions.article", preview_article)
