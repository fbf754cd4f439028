"""A new installation, before anybody set it up, and going through the steps of the set-up page."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from hufu.core.postgres.secret_files import SecretFolder
from hufu.core.setup_code import SetupCode

COMPANY = {"language": "en", "name": "虎啸集团", "mode": "standard"}
WEI = {"system_name": "卫东", "system_username": "wei", "system_email": "wei@example.com"}
AN = {"security_name": "安宁", "security_username": "an", "security_email": ""}
HE = {"audit_name": "何青", "audit_username": "he", "audit_email": ""}


def setup_code() -> SetupCode:
    """The code of this run's installation."""
    return SetupCode(SecretFolder(settings.HUFU_SECRETS))


def visitor() -> Client:
    """Somebody's browser."""
    return Client(headers={"accept-language": "en"}, raise_request_exception=False)


def enter(client: Client, code: str) -> HttpResponse:
    """Send the code."""
    return client.post("/setup/", {"code": code})


def opened(code: str, **company: str) -> Client:
    """A browser that entered the code and said what the company is."""
    client = visitor()
    assert enter(client, code).status_code == 302
    assert client.post("/setup/company/", {**COMPANY, **company}).status_code == 302
    return client
