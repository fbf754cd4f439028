"""`--sign-in NAME`: the password is typed at a terminal, and only the demo company's people go without one."""

from __future__ import annotations

import getpass
import io
import json
import sys

import pytest

from hufu.cli import environment, signing_in
from hufu.cli.demo import build
from hufu.core.errors import Invalid
from hufu.people.models import User


class Terminal(io.StringIO):
    """Somebody sits at it."""

    def isatty(self) -> bool:
        return True


def test_li_types_her_password(hufu, company, monkeypatch):
    company["li"].set_password("老虎-two-halves-7")
    company["li"].save(update_fields=["password"])
    with pytest.raises(Invalid, match="needs a terminal"):
        signing_in.signed_in("li")
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: "老虎-two-halves-7")
    assert signing_in.signed_in("li").user_id == company["li"].id
    monkeypatch.setattr(getpass, "getpass", lambda prompt: "guessed")
    with pytest.raises(Invalid, match="do not match"):
        signing_in.signed_in("li")


def test_only_in_the_folder_of_a_demo_company_the_name_suffices(hufu, company, monkeypatch, capsys):
    people = environment.var() / "demo-people.json"
    people.write_text(json.dumps([{"username": "li"}, {"username": "sun"}]))
    try:
        # The folder says so, the people are others.
        with pytest.raises(Invalid):
            signing_in.signed_in("li")
        monkeypatch.setattr(build, "is_demo", lambda: True)
        assert signing_in.signed_in("li").user_id == User.objects.get(username="li").id
        assert "signs in without a password" in capsys.readouterr().err
        for other in ("chen", "sun"):
            # Not among those whom one can be; left.
            with pytest.raises(Invalid):
                signing_in.signed_in(other)
        monkeypatch.setenv("DATABASE_URL", "postgresql://hufu_app@elsewhere/hufu")
        with pytest.raises(Invalid):
            signing_in.signed_in("li")
    finally:
        people.unlink()
