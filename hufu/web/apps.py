from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "hufu.web"
    label = "web"

    def ready(self) -> None:
        import hufu.web.accounts.events
        import hufu.web.accounts.signals
        import hufu.web.events
        import hufu.web.second_factor.events
        import hufu.web.second_factor.signals  # noqa: F401
