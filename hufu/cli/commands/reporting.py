"""Give people a login of their own to the database, for reporting tools such as Excel, Power BI or FineReport.

Whoever signs in by it sees in the views of the schema `report` exactly the records that they may view; what they may
not read is empty, and encrypted fields always are. The login alone opens nothing: the policy must give its person the
permission report.sign_in. The password is printed once and kept nowhere.

The login is made by an administrator of the server: of the embedded one this is done here; of a server of your own set
HUFU_ADMIN_URL for this run, or let a superuser run the SQL that is printed.

examples:
  hufu reporting open wangsiyuan --reason "monthly sales report"
  hufu reporting open wangsiyuan --reason "audit 2026" --ends 2026-12-31
  hufu reporting list
  hufu reporting close wangsiyuan
"""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hufu.cli import environment, output
from hufu.core.errors import Invalid, Unavailable

if TYPE_CHECKING:
    import psycopg

    from hufu.access.reporting import Login

NAME = "reporting"
HELP = "open, close or list people's own logins to the database"
PASSWORD_BYTES = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their options."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    person = "user name, mail address or external number"
    opening = actions.add_parser("open", help="give a login", description="Give somebody a login.")
    opening.add_argument("user", metavar="USER", help=person)
    opening.add_argument("--reason", required=True, help="why; the log keeps it")
    opening.add_argument("--ends", metavar="DATE", help="the day or time from which it holds no longer")
    opening.set_defaults(action=_open)
    closing = actions.add_parser("close", help="end a login", description="End somebody's login, at once.")
    closing.add_argument("user", metavar="USER", help=person)
    closing.set_defaults(action=_close)
    listing = actions.add_parser("list", help="show the logins", description="Show how each login stands.")
    listing.add_argument("--json", action="store_true", help="print them as JSON")
    listing.set_defaults(action=_list)


@output.command
def run(args: argparse.Namespace) -> int:
    """Do what was asked for."""
    try:
        with environment.connected():
            return int(args.action(args))
    except Invalid as invalid:
        output.print_problems(
            Invalid({"": [str(text) for of in invalid.problems.values() for text in of]}), _nothing_changed()
        )
        return 1


def _nothing_changed() -> str:
    from django.utils.translation import gettext as _

    return _("Nothing was changed:")


def _open(args: argparse.Namespace) -> int:
    from django.db import connection
    from django.utils.translation import gettext as _

    from hufu.access import reporting
    from hufu.cli import asking
    from hufu.core.actor import Actor
    from hufu.core.postgres import logins
    from hufu.core.transaction import acting

    ends_at = asking.moment(args.ends) if args.ends else None
    operator, password = Actor.operator(), secrets.token_urlsafe(PASSWORD_BYTES)
    with administrator() as admin, acting(operator):
        user = asking.person(args.user)
        login = reporting.open_login(operator, user, reason=args.reason, ends_at=ends_at)
        if logins.exists(connection.connection, login.name):
            raise Invalid(
                {
                    "": [
                        _(
                            "The server has a role %s that was not opened here. Let a superuser drop it first: "
                            "`hufu doctor` says how."
                        )
                        % login.name
                    ]
                }
            )
        # The last step before the commit: a login without a row is nobody's, a row without its login says so.
        if admin is not None:
            logins.make(admin, login.name, password, ends_at)
        info = connection.connection.info
        address = (info.host, info.port, info.dbname)
        hashed = logins.password_hash(connection.connection, login.name, password)
    if admin is None:
        output.note(_("A superuser still has to run this, in any database of the server:"))
        for statement in logins.opening(login.name, hashed, ends_at):
            output.note(f"  {statement};")
    _tell(login, user.name, address, password)
    return 0


def _tell(login: Login, name: str, address: tuple[str, int, str], password: str) -> None:
    from django.utils.translation import gettext as _

    host, port, database = address
    print(_("%s may connect to PostgreSQL, schema report:") % name)
    print(_("  server    %(host)s, port %(port)s") % {"host": host, "port": port})
    print(_("  database  %s") % database)
    print(_("  user      %s") % login.name)
    print(_("  password  %s") % password)
    output.note(
        _("The password is shown this once and kept nowhere: hand it over so that only they read it.")
    )
    if login.problem:
        output.note(_("So far nothing can be read by it: %s.") % _problem(login))


def _close(args: argparse.Namespace) -> int:
    from django.utils.translation import gettext as _

    from hufu.access import reporting
    from hufu.cli import asking
    from hufu.core.actor import Actor
    from hufu.core.postgres import logins
    from hufu.core.transaction import acting

    operator = Actor.operator()
    with administrator() as admin:
        with acting(operator):
            user = asking.person(args.user)
            name = reporting.close_login(operator, user)
        if admin is not None:
            logins.end(admin, name)
    print(_("The login %(login)s of %(name)s reads nothing any more.") % {"login": name, "name": user.name})
    if admin is None:
        output.note(_("A superuser still has to run this, in this database, so that the login is gone, too:"))
        for statement in logins.closing(name):
            output.note(f"  {statement};")
    return 0


def _list(args: argparse.Namespace) -> int:
    from django.utils.translation import gettext as _

    from hufu.access import reporting
    from hufu.core.actor import Actor
    from hufu.core.days import end_words
    from hufu.core.transaction import acting
    from hufu.people.models import User

    operator = Actor.operator()
    with acting(operator):
        found = reporting.logins(operator)
        people = User.objects.in_bulk([login.user_id for login in found])
    if args.json:
        output.print_json(
            [
                {
                    "login": login.name,
                    "username": people[login.user_id].username,
                    "opened_at": login.opened_at.isoformat(timespec="seconds"),
                    "ends_at": login.ends_at.isoformat(timespec="seconds") if login.ends_at else None,
                    "reason": login.reason,
                    "problem": login.problem or None,
                }
                for login in found
            ]
        )
        return 0
    if not found:
        print(_("Nobody has a login to the database."))
        return 0
    output.print_table(
        [_("Login"), _("Person"), _("Until"), _("Reason"), _("Now")],
        [
            (
                login.name,
                f"{people[login.user_id].name} ({people[login.user_id].username})",
                end_words(login.ends_at) if login.ends_at else "",
                login.reason,
                _problem(login),
            )
            for login in found
        ],
    )
    return 0


def _problem(login: Login) -> str:
    from hufu.access.reporting import PROBLEMS

    return str(PROBLEMS[login.problem])


@contextmanager
def administrator() -> Iterator[psycopg.Connection | None]:
    """Have an administrator's connection to our database for the body, or None where nobody's address is known."""
    import psycopg
    from django.db import connection

    from hufu.core.postgres import urls

    with environment.database() as database:
        if not database.admin_url:
            yield None
            return
        name = connection.settings_dict["NAME"]
        try:
            admin = psycopg.connect(urls.with_database(database.admin_url, name), autocommit=True)
        except psycopg.OperationalError as error:
            raise Unavailable(str(error).splitlines()[0]) from error
        with admin:
            yield admin
