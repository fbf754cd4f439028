"""Deeds on people: authorize → check → change → record. Reach is true again when they return."""

from hufu.staffing.actions.belonging import (
    add_assistants,
    add_holders,
    add_members,
    appoint_head,
    create_group,
    create_position,
    leave_posts,
    remove_holders,
    remove_members,
    rename_group,
    rename_position,
)
from hufu.staffing.actions.handover import Handed, Handover
from hufu.staffing.actions.journeys import Move, join, leave, move_person
from hufu.staffing.actions.organisation import (
    create_department,
    create_ladder,
    end_included_level,
    extend_ladder,
    include_level,
    level_key,
    move_department,
    rename_department,
)
from hufu.staffing.actions.outcome import UNCHANGED, Outcome, Unchanged, rehearse
from hufu.staffing.actions.people import (
    Person,
    change_users,
    create_users,
    renew_link,
    set_managers,
    set_secondary_departments,
)
from hufu.staffing.actions.suspension import reactivate, suspend

__all__ = [
    "UNCHANGED",
    "Handed",
    "Handover",
    "Move",
    "Outcome",
    "Person",
    "Unchanged",
    "add_assistants",
    "add_holders",
    "add_members",
    "appoint_head",
    "change_users",
    "create_department",
    "create_group",
    "create_ladder",
    "create_position",
    "create_users",
    "end_included_level",
    "extend_ladder",
    "include_level",
    "join",
    "leave",
    "leave_posts",
    "level_key",
    "move_department",
    "move_person",
    "reactivate",
    "rehearse",
    "remove_holders",
    "remove_members",
    "rename_department",
    "rename_group",
    "rename_position",
    "renew_link",
    "set_managers",
    "set_secondary_departments",
    "suspend",
]
