"""Appoint the first administrators of an empty company. Nobody gets a password: each gets a link to set one.

Standard mode: one person may be system and security administrator, the audit administrator is somebody else.
Three-administrator mode (三员, --three): three people, as 等保 level 3 asks for. None of them sees customers.
What the options do not name is asked for on a terminal. An account that exists already is named by its user name alone.

examples:
  hufu setup
  hufu setup --system "wang:王伟:wang@example.com" --audit "zhao:赵敏"
  hufu setup --three --system wang:王伟 --security li:李娜 --audit zhao:赵敏 --json
  then: hufu policy apply company.yaml
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from hufu.cli import environment, output

if TYPE_CHECKING:
    from hufu.access.models import Administrator
    from hufu.staffing.actions import Person

NAME = "setup"
HELP = "appoint the first administrators"
WHO = "USERNAME:NAME[:MAIL]"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the mode and the people."""
    parser.add_argument(
        "--three", action="store_true", help="three-administrator mode: three different people"
    )
    parser.add_argument("--system", metavar=WHO, help="people, departments, settings; gives no rights")
    parser.add_argument(
        "--security",
        metavar=WHO,
        help="roles and rights; in standard mode the system administrator, if not named",
    )
    parser.add_argument("--audit", metavar=WHO, help="the log; always somebody else")
    parser.add_argument("--json", action="store_true", help="print people and links as JSON")


@output.command
def run(args: argparse.Namespace) -> int:
    """Create roles and accounts, and print the links."""
    with environment.connected(set_up=True):
        from django.utils.translation import gettext as _

        from hufu.access.models import Administrator
        from hufu.cli.invitations import invite, where_links_lead
        from hufu.core.actor import Actor
        from hufu.core.transaction import acting
        from hufu.staffing import administrators

        operator = Actor.operator()
        with acting(operator):
            # Before anybody is asked for names.
            administrators.require_none()
        posts = _people(args)
        with acting(operator):
            appointed = administrators.appoint(operator, posts)
            links = {
                one.user.username: invite(operator, one.user)
                for one in appointed
                if not one.user.has_usable_password()
            }
        if args.json:
            people = [
                {
                    "username": one.user.username,
                    "name": one.user.name,
                    "posts": [post.value for post in one.posts],
                    "link": links[one.user.username].link if one.user.username in links else None,
                    "valid_until": links[one.user.username].valid_until.isoformat(timespec="seconds")
                    if one.user.username in links
                    else None,
                }
                for one in appointed
            ]
            output.print_json({"mode": "three" if args.three else "standard", "people": people})
            return 0
        for one in appointed:
            print(
                f"{one.user.name} ({one.user.username}): "
                + _(", ").join(str(post.label) for post in one.posts)
            )
            link = links.get(one.user.username)
            print(f"  {link.link}" if link else "  " + _("signs in with the password they have"))
        output.note("")
        if links:
            until = next(iter(links.values())).until()
            output.note(
                _("Each link is for that person alone: it sets their password, works once, until %s.") % until
            )
            if said := where_links_lead():
                output.note(said)
        if posts[Administrator.SYSTEM].username == posts[Administrator.SECURITY].username:
            output.note(
                _(
                    "One person is system and security administrator: this does not conform to MLPS (等保) level 3."
                )
            )
        output.note(_("Next: hufu policy apply FILE.yaml"))
    return 0


def _people(args: argparse.Namespace) -> dict[Administrator, Person]:
    """Return who becomes what, asking on a terminal for those who are missing."""
    from django.utils.translation import gettext as _

    from hufu.access.models import Administrator

    named = {
        Administrator.SYSTEM: args.system,
        Administrator.SECURITY: args.security,
        Administrator.AUDIT: args.audit,
    }
    may_ask = sys.stdin.isatty() and not args.json
    people: dict[Administrator, Person] = {}
    for post, text in named.items():
        shared = post is Administrator.SECURITY and not args.three
        if text is not None:
            people[post] = _parsed(text)
        elif may_ask:
            try:
                people[post] = _asked(post, people.get(Administrator.SYSTEM) if shared else None)
            except EOFError:
                raise output.WrongUsage(_("The answers ended early; nothing was changed.")) from None
        elif shared:
            people[post] = people[Administrator.SYSTEM]
        else:
            raise output.WrongUsage(
                _("Nobody is named as %(post)s. Name somebody with --%(option)s %(who)s.")
                % {"post": post.label, "option": post.value, "who": WHO}
            )
    if args.three and len({person.username for person in people.values()}) < len(people):
        raise output.WrongUsage(_("Three-administrator mode needs three different people."))
    return people


def _parsed(text: str) -> Person:
    from django.utils.translation import gettext as _

    username, *others = (part.strip() for part in text.split(":"))
    if len(others) > 2:
        raise output.WrongUsage(_("“%(text)s” is not %(form)s.") % {"text": text, "form": WHO})
    return _checked(username, *others)


def _asked(post: Administrator, same: Person | None) -> Person:
    from django.utils.translation import gettext as _

    print(f"\n{post.label}")
    hint = _("user name (empty: %s)") % same.username if same else _("user name")
    username = input(f"  {hint}: ").strip()
    if not username and same:
        return same
    return _checked(
        username, input(f"  {_('name')}: ").strip(), input(f"  {_('mail address (may be empty)')}: ").strip()
    )


def _checked(username: str, name: str = "", mail: str = "") -> Person:
    """Return the person as an account would be created from; raise WrongUsage for what no account can be."""
    from django.contrib.auth.validators import UnicodeUsernameValidator
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email
    from django.utils.translation import gettext as _

    from hufu.staffing.actions import Person

    try:
        UnicodeUsernameValidator()(username)
        if mail:
            validate_email(mail)
    except ValidationError:
        raise output.WrongUsage(
            _("“%s” cannot be used: a user name is letters, digits and @ . + - _, a mail address has an @.")
            % (f"{username}:{name}:{mail}".rstrip(":"))
        ) from None
    if len(username) > 150 or len(name) > 120:
        raise output.WrongUsage(_("A user name has at most 150 characters, a name at most 120."))
    return Person(username=username, name=name, email=mail)
