"""Finding people."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _

from hufu.core.errors import Invalid
from hufu.people.models import User


def find_user(text: str) -> User:
    """Return the one account whose user name, mail address or external number is `text`.

    Raise Invalid, saying what to write instead, where there is none, and where there are several.
    """
    text = text.strip()
    found = list(
        User.objects.filter(
            Q(username=text) | Q(external_id=text) | (Q(email__iexact=text) if "@" in text else Q(pk__in=[]))
        ).order_by("id")
    )
    if len(found) == 1:
        return found[0]
    if found:
        message = _(
            "“%(text)s” stands for several accounts: %(accounts)s. Use something that only one of them has."
        )
        raise Invalid({"user": [message % {"text": text, "accounts": _listed(found)}]})
    same_name = list(User.objects.filter(name=text).order_by("id")[:10])
    if same_name:
        message = _("“%(text)s” is a name, and names are not unique. Use the user name: %(accounts)s.")
        raise Invalid({"user": [message % {"text": text, "accounts": _listed(same_name)}]})
    raise Invalid(
        {
            "user": [
                _(
                    "There is no account “%s”. Give a user name, a mail address or an external number; "
                    "the page People lists them."
                )
                % text
            ]
        }
    )


def _listed(users: list[User]) -> str:
    return _(", ").join(f"{user.username} ({user.name})" for user in users)
