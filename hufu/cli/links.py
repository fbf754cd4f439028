"""Where links that a command prints lead."""

from __future__ import annotations

import os

from django.conf import settings
from django.utils.translation import gettext as _


def where_links_lead() -> str:
    """Return where links lead when nobody said where the site is; else ''."""
    if os.environ.get("HUFU_ORIGIN"):
        return ""
    return (
        _(
            "Links lead to %s. If the site runs elsewhere, set HUFU_ORIGIN and make new ones with `hufu invite USER`."
        )
        % settings.HUFU_ORIGIN
    )
