from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "hufu.web"
    label = "web"

    def ready(self) -> None:
        from hufu.web.accounts import events, signals  # noqa: F401
