"""A copy of a person's data, and the person's erasure."""

from __future__ import annotations

import io
import zipfile

from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.registry import ResourceType
from hufu.crm import consents, persons, queries
from hufu.web.passage import Passage
from hufu.web.records.forms import DiscloseForm
from hufu.web.records.presenters import record_url
from hufu.web.records.views.confirm import confirm_by_name
from hufu.web.records.views.editing import sent


def disclose_page(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Ask why a copy is wanted, and give it: JSON, a readable page, and the checksum, in one file."""
    actor = request.actor
    record = guard.get(actor, resource.permission("disclose"), record_id)
    form = DiscloseForm(sent(request))
    if request.method == "POST" and form.is_valid():
        copy = persons.disclose(actor, resource, record_id, reason=form.cleaned_data["reason"])
        response = HttpResponse(zipped(resource, copy), content_type="application/zip")
        response.headers["Content-Disposition"] = f'attachment; filename="{resource.name}-{record_id}.zip"'
        return response
    queries.record_view(actor, resource, record)
    return render(
        request,
        "records/disclose.html",
        {
            "resource": resource,
            "title": getattr(record, resource.title),
            "form": form,
            "back": record_url(resource, record_id),
        },
    )


def zipped(resource: ResourceType, copy: persons.Copy) -> bytes:
    """Return the copy as one file: `person.json`, `person.html` for people, `SHA256SUMS`."""
    data = copy.data
    page = render_to_string(
        "records/copy.html",
        {
            "data": data,
            "fields": [(resource.by_name[name].label, value) for name, value in data["fields"].items()],
            "withheld": [resource.by_name[name].label for name in data["withheld"]],
            "consents": [
                {
                    **each,
                    "purpose": consents.label(consents.PURPOSES, each["purpose"]),
                    "basis": consents.label(consents.BASES, each["basis"]),
                    "source": consents.label(consents.SOURCES_OF_CONSENT, each["source"]),
                }
                for each in data["consents"]
            ],
            "digest": copy.digest,
        },
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("person.json", copy.content)
        archive.writestr("person.html", page)
        archive.writestr("SHA256SUMS", f"{copy.digest}  person.json\n")
    return file.getvalue()


def erase_page(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Show what erasing a person does and what stays, ask for the name and a reason, and erase."""
    return confirm_by_name(
        request,
        resource,
        record_id,
        verb="erase",
        deed=persons.erase,
        template="records/erase.html",
        done=_("The person is erased."),
        back=record_url(resource, record_id),
        shown=lambda record: {"going": persons.consequences(request.actor, resource, record)},
    )
