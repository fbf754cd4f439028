from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "hufu.web"
    label = "web"

    def ready(self) -> None:
        import hufu.web.accounts.events
        import hufu.web.accounts.signals
        import hufu.web.events
        import hufu.web.second_factor.events
        import hufu.web.second_factor.signals
        import hufu.web.single_sign_on.events  # noqa: F401
        from hufu.web.single_sign_on.providers import providers

        providers()
