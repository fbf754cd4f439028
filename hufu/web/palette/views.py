"""The palette: one box for pages, deeds and records."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import ngettext

from hufu.people.models import User
from hufu.web.pages import page
from hufu.web.palette import entries
from hufu.web.passage import Passage

LONGEST = 100


@page(signed_in=True, limit="search")
def palette(request: Passage) -> HttpResponse:
    """Answer what was typed with what this person may open or begin: a fragment for the dialog."""
    text = request.GET.get("q", "")[:LONGEST]
    user = request.user
    found = entries.sections(
        request.actor, text, has_password=isinstance(user, User) and user.has_usable_password()
    )
    amount = sum(len(section.entries) for section in found)
    return render(
        request,
        "palette/results.html",
        {
            "sections": found,
            "text": text,
            "said": ngettext("%(amount)d result", "%(amount)d results", amount) % {"amount": amount},
        },
    )
