from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "hufu.web"
    label = "web"

    def ready(self) -> None:
        import hufu.web.accounts.events
        import hufu.web.accounts.signals
        import hufu.web.events  # noqa: F401
