"""The language of the terminal, also before Django is there: what goes wrong early is told in it, too."""

from __future__ import annotations

import gettext as catalogues
import os
from functools import cache
from pathlib import Path

CATALOGUES = Path(__file__).resolve().parent.parent / "locale"
CHINESE, ENGLISH = "zh-hans", "en"


def of_terminal() -> str:
    """Return the language that HUFU_LANGUAGE names, else the terminal's: Chinese, or English for all others."""
    names = ("HUFU_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    wanted = next((value for name in names if (value := os.environ.get(name))), "")
    return CHINESE if wanted.lower().startswith("zh") else ENGLISH


def gettext(text: str) -> str:
    """Return a text in the language that is spoken now; before Django is set up, in the terminal's."""
    from django.apps import apps

    if apps.ready:
        from django.utils import translation

        return translation.gettext(text)
    return _chinese().gettext(text) if of_terminal() == CHINESE else text


@cache
def _chinese() -> catalogues.NullTranslations:
    return catalogues.translation("django", CATALOGUES, languages=["zh_Hans"], fallback=True)
