"""Show the keys of the vault, or begin new ones: what is sealed is sealed anew while the site goes on.

`rotate` makes new data keys, seals every personal field anew in small steps, and erases the old keys when nothing
needs them. It may be interrupted: run again, it goes on. `rotate --master` makes a new version of the master key (in
the secrets folder; where HUFU_MASTER_KEY or a command says it, put the new version there first) and of the key of the
log, and wraps the data keys and the keys of the people in the log under them. It connects as the owner.

examples:
  hufu keys status
  hufu keys rotate
  hufu keys rotate --master
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from hufu.cli import environment, output
from hufu.core.language import gettext as _
from hufu.core.postgres.roles import OWNER

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "keys"
HELP = "show the keys of the vault, or begin new ones"
SAY_SECONDS = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to do."""
    parser.add_argument("deed", choices=("status", "rotate"), help="what to do")
    parser.add_argument("--master", action="store_true", help="new master key instead of new data keys")
    parser.add_argument("--json", action="store_true", help="print as JSON")


@output.command
def run(args: argparse.Namespace) -> int:
    """Show or rotate."""
    with environment.connected(OWNER):
        if args.deed == "rotate":
            if args.master:
                _rotate_master()
            else:
                _rotate()
        _status(args.json)
    return 0


def _rotate() -> None:
    from hufu.core.vault import rotation

    done, said_at = 0, time.monotonic()

    def progress(number: int) -> None:
        nonlocal done, said_at
        done += number
        if time.monotonic() - said_at >= SAY_SECONDS:
            said_at = time.monotonic()
            print(_("%s rows sealed anew …") % f"{done:,}", file=sys.stderr, flush=True)

    version = rotation.rotate(progress)
    _record({"version": version, "rows": done})


def _rotate_master() -> None:
    from hufu.audit import keys
    from hufu.core import vault
    from hufu.core.vault import rotation

    secrets = environment.secrets()
    wrapped_before = {each.master_version for each in vault.stored()}
    ring = vault.master_keys()
    # A version that nothing is wrapped under yet was made by a run that was interrupted, or by the operator.
    if wrapped_before == {ring.version} and not vault.is_kept_elsewhere():
        secrets.key(f"{vault.MASTER_KEY}.{ring.version + 1}")
        vault.forget_master_keys()
    keys.add_version(secrets)
    facts = {"data_keys": rotation.rewrap(), "subjects": keys.rewrap()}
    _record({"master_version": vault.master_keys().version, **facts})


def _record(data: Mapping[str, int]) -> None:
    from hufu.audit import record
    from hufu.core.actor import Actor
    from hufu.core.transaction import acting

    operator = Actor.operator()
    with acting(operator):
        record(operator, "keys.rotated", data=data)


def _status(as_json: bool) -> None:
    from hufu.core import vault
    from hufu.core.vault import rotation

    ring = vault.master_keys()
    counts = rotation.counts()
    said = {
        "master_key": {"source": ring.source, "version": ring.version},
        "data_keys": [
            {
                "purpose": each.purpose,
                "version": each.version,
                "state": each.state,
                "master_version": each.master_version,
            }
            for each in vault.stored()
        ],
        "values": {str(version): number for version, number in sorted(counts.items())},
    }
    if as_json:
        output.print_json(said)
        return
    print(_("Master key: version %(version)s, %(source)s") % {"version": ring.version, "source": ring.source})
    for each in vault.stored():
        print(
            _("Data key “%(purpose)s”, version %(version)s: %(state)s, under master key %(master)s")
            % {
                "purpose": each.purpose,
                "version": each.version,
                "state": each.state,
                "master": each.master_version,
            }
        )
    for version, number in sorted(counts.items()):
        print(
            _("Values sealed with version %(version)s: %(number)s")
            % {"version": version, "number": f"{number:,}"}
        )
