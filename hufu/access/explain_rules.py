"""Sharing rules and territories in words, and for programs. Their names are told, never what a record's fields say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from hufu.access.decision.near import NearMiss, Nearness
from hufu.access.decision.rules import RuleFacts, RuleShare
from hufu.access.decision.terms import Share
from hufu.core.days import end_words, moment_words


def cover_sentences(share: RuleShare, *, principal: str, until: str) -> Iterator[str]:
    """Yield why the record reaches the person through a rule or a territory."""
    words = {"rule": share.rule.name, "principal": principal, "until": until}
    if share.rule.territory:
        yield _territory_sentence(share, words)
        if share.through is not None:
            yield _("Members of “%(above)s” also reach what matches the territories below it.") % {
                "above": share.through.name
            }
    elif share.rule.opens is Share.EDIT:
        yield (
            _(
                "The sharing rule “%(rule)s” shares it with %(principal)s, to view and edit%(until)s: the record meets "
                "its condition."
            )
            % words
        )
    else:
        yield (
            _(
                "The sharing rule “%(rule)s” shares it with %(principal)s, to view%(until)s: the record meets its "
                "condition."
            )
            % words
        )
    if share.superior:
        yield _("The rule reaches those above them in the reporting line, too.")


def _territory_sentence(share: RuleShare, words: dict[str, str]) -> str:
    through = {**words, "member": share.through.name if share.through else share.rule.name}
    if share.rule.opens is Share.EDIT:
        return (
            _(
                "The record matches the territory “%(rule)s”, open to view and edit%(until)s; a member of “%(member)s” "
                "is %(principal)s."
            )
            % through
        )
    return (
        _(
            "The record matches the territory “%(rule)s”, open to view%(until)s; a member of “%(member)s” is "
            "%(principal)s."
        )
        % through
    )


def broken_sentence(rule: RuleFacts | None) -> str:
    """Return the sentence for a rule that would reach the person and cannot be evaluated."""
    return _(
        "“%s” would reach them, but its condition cannot be evaluated any more: it names something that is gone. "
        "It shares nothing until it is corrected."
    ) % (rule.name if rule else "")


def near_sentence(miss: NearMiss, principal: str) -> str:
    """Return the sentence for a rule that covers the record and falls short."""
    assert miss.rule is not None
    rule = miss.rule
    words = {
        "rule": rule.name,
        "principal": principal,
        "until": end_words(rule.ends_at) if rule.ends_at else "",
        "from": moment_words(rule.starts_at) if rule.starts_at else "",
    }
    return {
        Nearness.ENDED: _("“%(rule)s” shared such records with %(principal)s; that ended: %(until)s."),
        Nearness.NOT_BEGUN: _("“%(rule)s” will share such records with %(principal)s: %(from)s."),
        Nearness.WITHOUT_RIGHT: _("“%(rule)s” shares such records with %(principal)s, only to view."),
        Nearness.WITHOUT_PERMISSION: _(
            "“%(rule)s” shares such records with %(principal)s, but only those profit who hold the permission."
        ),
        Nearness.GIVEN_TO_OTHERS: _("“%(rule)s” shares such records with %(principal)s."),
    }[miss.nearness] % words


def structure(share: RuleShare) -> dict[str, Any]:
    """Return a rule on the path for programs."""
    return {
        "kind": "territory" if share.rule.territory else "sharing_rule",
        "id": share.rule.id,
        "key": share.rule.key,
        "name": share.rule.name,
        "edit": share.rule.opens is Share.EDIT,
        "through": share.through.key if share.through else None,
        "superior": share.superior,
        "ends": share.rule.ends_at.isoformat() if share.rule.ends_at else None,
    }
