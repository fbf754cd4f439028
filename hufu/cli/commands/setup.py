"""Set a new company up: its name, its mode, the first administrators. Each gets a link to set their own password.

Standard mode: one person may be system and security administrator, the audit administrator is somebody else.
Three-administrator mode (三员): three people, none of whom sees customers, as 等保 level 3 asks for. The mode is chosen
once and holds for every administrator who is appointed later.
What the options do not name is asked for on a terminal. An account that exists already is named by its user name alone.
The same can be done in the browser: `hufu serve` prints a code for it.

examples:
  hufu setup
  hufu setup --system "wang:王伟:wang@example.com" --audit "zhao:赵敏"
  hufu setup --mode three --company 虎啸集团 --system wang:王伟 --security li:李娜 --audit zhao:赵敏 --json
  then: hufu policy apply company.yaml
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from hufu.cli import environment, output

if TYPE_CHECKING:
    from hufu.access.models import Administrator, Mode
    from hufu.staffing.actions import Person
    from hufu.staffing.administrators import Appointed
    from hufu.staffing.invitations import Invitation

NAME = "setup"
HELP = "set a company up: mode and first administrators"
WHO = "USERNAME:NAME[:MAIL]"
MODES = ("standard", "three")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the mode and the people."""
    parser.add_argument("--mode", choices=MODES, help="standard (default) or three: three different people")
    parser.add_argument("--company", metavar="NAME", help="the company's name")
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
        from hufu.core.actor import Actor
        from hufu.core.setup_code import SetupCode
        from hufu.core.transaction import acting
        from hufu.staffing import administrators
        from hufu.staffing.invitations import invite

        operator = Actor.operator()
        with acting(operator):
            # Before anybody is asked for names.
            administrators.require_none()
        try:
            name, mode = _company(args)
            posts = _people(args, mode)
        except EOFError:
            raise output.WrongUsage(_ended_early()) from None
        with acting(operator):
            appointed = administrators.appoint(operator, posts, mode=mode, company_name=name)
            links = {
                one.user.username: invite(operator, one.user)
                for one in appointed
                if not one.user.has_usable_password()
            }
        SetupCode(environment.secrets()).withdraw()
        if args.json:
            output.print_json({"mode": mode.value, "company": name, "people": _as_json(appointed, links)})
        else:
            _tell(mode, appointed, links)
    return 0


def _tell(mode: Mode, appointed: list[Appointed], links: dict[str, Invitation]) -> None:
    from django.utils.translation import gettext as _

    from hufu.cli.links import where_links_lead

    for one in appointed:
        posts = _(", ").join(str(post.label) for post in one.posts)
        print(f"{one.user.name} ({one.user.username}): {posts}")
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
    if mode.conforms:
        output.note(_("Three-administrator mode: from now on the three stay three people."))
    else:
        output.note(
            _(
                "Standard mode: one person may be system and security administrator. This does not conform to MLPS "
                "(等保) level 3."
            )
        )
    output.note(_("Next: hufu policy apply FILE.yaml"))


def _as_json(appointed: list[Appointed], links: dict[str, Invitation]) -> list[dict[str, object]]:
    people: list[dict[str, object]] = []
    for one in appointed:
        link = links.get(one.user.username)
        people.append(
            {
                "username": one.user.username,
                "name": one.user.name,
                "posts": [post.value for post in one.posts],
                "link": link.link if link else None,
                "valid_until": link.valid_until.isoformat(timespec="seconds") if link else None,
            }
        )
    return people


def _may_ask(args: argparse.Namespace) -> bool:
    return sys.stdin.isatty() and not args.json


def _company(args: argparse.Namespace) -> tuple[str, Mode]:
    """Return the company's name and mode, asking on a terminal for what is missing."""
    from django.utils.translation import gettext as _

    from hufu.access.models import Mode

    name = args.company
    # Whoever names the administrators on the command line has decided; nobody is asked for the rest.
    asks = _may_ask(args) and args.system is None and args.audit is None
    if name is None:
        name = input(_("name of the company (may be empty)") + ": ") if asks else ""
    if args.mode:
        return name.strip(), Mode(args.mode)
    if not asks:
        return name.strip(), Mode.STANDARD
    print(
        "\n"
        + _("standard: one person may be system and security administrator; not MLPS (等保) level 3")
        + "\n"
        + _("three: system, security and audit administrator are three people; none sees customers")
    )
    while True:
        typed = input(_("mode (empty: standard)") + ": ").strip().lower() or MODES[0]
        if typed in MODES:
            return name.strip(), Mode(typed)


def _people(args: argparse.Namespace, mode: Mode) -> dict[Administrator, Person]:
    """Return who becomes what, asking on a terminal for those who are missing."""
    from django.utils.translation import gettext as _

    from hufu.access.models import Administrator

    named = {
        Administrator.SYSTEM: args.system,
        Administrator.SECURITY: args.security,
        Administrator.AUDIT: args.audit,
    }
    people: dict[Administrator, Person] = {}
    for post, text in named.items():
        shared = post is Administrator.SECURITY and not mode.conforms
        if text is not None:
            people[post] = _parsed(text)
        elif _may_ask(args):
            people[post] = _asked(post, people.get(Administrator.SYSTEM) if shared else None)
        elif shared:
            people[post] = people[Administrator.SYSTEM]
        else:
            raise output.WrongUsage(
                _("Nobody is named as %(post)s. Name somebody with --%(option)s %(who)s.")
                % {"post": post.label, "option": post.value, "who": WHO}
            )
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
        username,
        input("  " + _("name") + ": ").strip(),
        input("  " + _("mail address (may be empty)") + ": ").strip(),
    )


def _checked(username: str, name: str = "", mail: str = "") -> Person:
    """Return the person as an account would be created from; raise WrongUsage for what no account can be."""
    from django.utils.translation import gettext as _

    from hufu.core.errors import Invalid
    from hufu.staffing.actions import Person
    from hufu.staffing.administrators import checked

    try:
        return checked(Person(username=username, name=name, email=mail))
    except Invalid as invalid:
        written = f"{username}:{name}:{mail}".rstrip(":")
        raise output.WrongUsage(
            _("“%(written)s” cannot be used. %(why)s") % {"written": written, "why": invalid}
        ) from None


def _ended_early() -> str:
    from django.utils.translation import gettext as _

    return _("The answers ended early; nothing was changed.")
