from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from hufu.core.actor import Actor
    from hufu.people.terminal import Answers


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
        from hufu.people import terminal
        from hufu.web.single_sign_on.providers import providers

        providers()
        terminal.on_sign_in(sign_in_at_the_terminal)


def sign_in_at_the_terminal(login: str, answers: Answers) -> Actor:
    """Sign somebody in at the terminal; what that takes is loaded when somebody does."""
    from hufu.web.accounts.terminal import sign_in

    return sign_in(login, answers)
