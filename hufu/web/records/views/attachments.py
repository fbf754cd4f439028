"""The tab of a record's files: what is there, adding, opening and removing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hufu.access import guard
from hufu.access.registry import ResourceType
from hufu.core.errors import Invalid
from hufu.crm import attachments, queries
from hufu.crm.uploads import TAKEN
from hufu.people.models import User
from hufu.web.numbers import LARGEST_ID, number
from hufu.web.passage import Passage
from hufu.web.records.views.record import tabbed

ENDINGS = ",".join(f".{ending}" for endings in TAKEN.values() for ending in endings)


def files_tab(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Show the files of a record."""
    record = queries.get_record(request.actor, resource, record_id)
    return tab_of(request, resource, record)


def tab_of(
    request: Passage, resource: ResourceType, record: Any, problems: Sequence[Any] = ()
) -> HttpResponse:
    """Return the tab, with what was wrong with what was sent."""
    files = attachments.attachments(request.actor, resource, record.pk)
    people = dict(User.objects.filter(pk__in={each.added_by for each in files}).values_list("pk", "name"))
    return tabbed(
        request,
        resource,
        record,
        "files",
        {
            "files": [(each, people.get(each.added_by, "")) for each in files],
            "may_add": guard.may(request.actor, resource.permission("edit"), record),
            "may_remove": guard.may_inside(request.actor, resource.permission("edit"), record),
            "problems": problems,
            "endings": ENDINGS,
            "largest": settings.LARGEST_ATTACHMENT,
            "add_url": reverse(f"{resource.name}_file_add", args=[record.pk]),
            "open_url": reverse(f"{resource.name}_file_open", args=[record.pk]),
            "remove_url": reverse(f"{resource.name}_file_remove", args=[record.pk]),
        },
        status=400 if problems else 200,
    )


def add(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Add files to a record: all of them, or none where one is refused."""
    sent = request.FILES.getlist("file")
    try:
        with transaction.atomic():
            if not sent:
                guard.get(request.actor, resource.permission("edit"), record_id)
                raise Invalid(
                    {"file": [_("No file arrived. Choose one that is not larger than is said below.")]}
                )
            for each in sent:
                try:
                    attachments.attach(
                        request.actor, resource, record_id, name=each.name or "", content=each.read()
                    )
                except Invalid as invalid:
                    raise Invalid(
                        {"file": [f"{each.name}: {why}" for why in invalid.problems["file"]]}
                    ) from None
    except Invalid as invalid:
        record = guard.get(request.actor, resource.permission("edit"), record_id)
        queries.record_view(request.actor, resource, record)
        return tab_of(request, resource, record, invalid.problems["file"])
    messages.success(request, ngettext("%d file added.", "%d files added.", len(sent)) % len(sent))
    return HttpResponseRedirect(reverse(f"{resource.name}_files", args=[record_id]))


def download(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Send a file of a record, to be saved and never shown in the site's own name."""
    wanted = number(request.GET.get("file"), largest=LARGEST_ID)
    found, content = attachments.opened(request.actor, resource, record_id, wanted)
    answer = HttpResponse(content, content_type=found.media)
    answer.headers["Content-Disposition"] = content_disposition_header(True, found.name) or "attachment"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def remove(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Remove a file of a record for good."""
    wanted = number(request.POST.get("file"), largest=LARGEST_ID)
    attachments.remove(request.actor, resource, record_id, wanted)
    messages.success(request, _("File removed."))
    return HttpResponseRedirect(reverse(f"{resource.name}_files", args=[record_id]))
