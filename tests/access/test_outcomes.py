"""Every outcome that a decision can have, in both languages, as docs/access.md and docs/access.zh-CN.md tell it.

`HUFU_WRITE_DOCS=1 pytest tests/access/test_outcomes.py` writes what the program says now into the two documents.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from django.utils import translation

from tests.access.outcomes import OUTCOMES, answers, arrange

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
BEGIN, END = "<!-- outcomes -->\n", "<!-- end of outcomes -->"


def table(company) -> str:
    """Return the questions and answers as the documents hold them, in the language that is on."""
    return "".join(
        f"**{outcome.title}** · `{outcome.asked}`\n\n"
        + "".join(f"> {sentence}  \n" for sentence in answers(company, outcome))
        + "\n"
        for outcome in OUTCOMES
    )


def test_every_outcome_is_explained_in_both_languages_as_the_documents_say(company, owner_connection):
    arrange(company, owner_connection)
    assert len(OUTCOMES) >= 30
    said = {}
    for language, name in (("en", "access.md"), ("zh-hans", "access.zh-CN.md")):
        with translation.override(language):
            said[name] = table(company)
        text = (DOCS / name).read_text(encoding="utf-8")
        begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
        if os.environ.get("HUFU_WRITE_DOCS"):
            (DOCS / name).write_text(text[:begin] + said[name] + text[end:], encoding="utf-8")
        else:
            assert text[begin:end] == said[name], name
    # The names of people and things are Chinese in both; whole English sentences in the other one would be a gap.
    assert not re.search(r"[A-Za-z]{3,} [a-z]{2,} [a-z]{2,}", re.sub(r"`[^`]*`", "", said["access.zh-CN.md"]))


def test_each_question_leads_where_it_is_meant_to(company, owner_connection):
    arrange(company, owner_connection)
    allowed = 18
    for number, outcome in enumerate(OUTCOMES):
        with translation.override("en"):
            first = next(answers(company, outcome))
        assert first.startswith("Yes:") == (number < allowed), (outcome, first)
