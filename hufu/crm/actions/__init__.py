"""Deeds on records: authorize → change the version that was read → record, in one transaction.

A refused deed leaves only its event.
"""

from hufu.crm.actions.change import delete_record, edit_record, purge_record, restore_record
from hufu.crm.actions.common import may_own, sealed_fields
from hufu.crm.actions.create import (
    NewChild,
    NewRecord,
    create_child,
    create_children,
    create_many,
    create_record,
)
from hufu.crm.actions.crossings import ask_across
from hufu.crm.actions.ownership import FormerOwner, move_record, possible_owners, transfer_record
from hufu.crm.actions.pools import (
    claim_record,
    may_claim,
    may_release,
    not_too_late,
    pools_for,
    release_record,
)
from hufu.crm.actions.requests import asked_record, grant_record
from hufu.crm.actions.shares import OutsideWall, end_share, share_record
from hufu.crm.actions.states import lock_record, unlock_record, unvoid_record, void_record
from hufu.crm.actions.tasks import end_task, open_tasks
from hufu.crm.actions.teams import add_member, remove_member

__all__ = [
    "FormerOwner",
    "NewChild",
    "NewRecord",
    "OutsideWall",
    "add_member",
    "ask_across",
    "asked_record",
    "claim_record",
    "create_child",
    "create_children",
    "create_many",
    "create_record",
    "delete_record",
    "edit_record",
    "end_share",
    "end_task",
    "grant_record",
    "lock_record",
    "may_claim",
    "may_own",
    "may_release",
    "move_record",
    "not_too_late",
    "open_tasks",
    "pools_for",
    "possible_owners",
    "purge_record",
    "release_record",
    "remove_member",
    "restore_record",
    "sealed_fields",
    "share_record",
    "transfer_record",
    "unlock_record",
    "unvoid_record",
    "void_record",
]
