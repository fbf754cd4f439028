"""What people belong to: groups, positions, and the posts of departments. Rights may hang on each of them.

Nobody puts themselves into any; everybody may be taken out, unless that lifted a prohibition, which waits for release.
Definitions need role.manage, people in them user.manage.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import guard, reach
from hufu.access.actions import next_number
from hufu.audit import Event, Subject, Target, record, record_many
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import (
    Department,
    DepartmentPost,
    Group,
    GroupMember,
    Position,
    PositionHolder,
    Post,
    Status,
    User,
)
from hufu.staffing.actions import pending
from hufu.staffing.actions.pending import Fact


def create_group(actor: Actor, *, key: str, name: str) -> Group:
    """Add a group; nobody is in it yet."""
    group: Group = _create(actor, Group, "group", key, name)
    return group


def rename_group(actor: Actor, group: Group, *, name: str) -> None:
    """Give a group another name; its key stays."""
    _rename(actor, group, "group", name)


def add_members(actor: Actor, group: Group, users: Iterable[int]) -> int:
    """Put people into a group, by number; return how many were not in it."""
    users, standing = list(users), set(group.members.values_list("user_id", flat=True))
    new = _at_once(actor, "group", group.id, _to_be_added(actor, users, standing))
    pending.forget_leaving(actor, "group", group.id, users)
    GroupMember.objects.bulk_create(GroupMember(group=group, user_id=number) for number in new)
    return _recorded(actor, new, "group.member_joined", {"group": group.key})


def remove_members(actor: Actor, group: Group, users: Iterable[int]) -> int:
    """Take people out of a group, by number; return how many were in it."""
    gone = _to_be_removed(actor, users, group.members.values_list("user_id", flat=True))
    gone = pending.leaving(actor, "group", group.id, gone)
    group.members.filter(user_id__in=gone).delete()
    return _recorded(actor, gone, "group.member_left", {"group": group.key})


def create_position(actor: Actor, *, key: str, name: str) -> Position:
    """Add a position; nobody holds it yet."""
    position: Position = _create(actor, Position, "position", key, name)
    return position


def rename_position(actor: Actor, position: Position, *, name: str) -> None:
    """Give a position another name; its key stays."""
    _rename(actor, position, "position", name)


def add_holders(actor: Actor, position: Position, users: Iterable[int]) -> int:
    """Give a position to people, by number; return how many did not hold it."""
    users, standing = list(users), set(position.holders.values_list("user_id", flat=True))
    new = _at_once(actor, "position", position.id, _to_be_added(actor, users, standing))
    pending.forget_leaving(actor, "position", position.id, users)
    PositionHolder.objects.bulk_create(PositionHolder(position=position, user_id=number) for number in new)
    return _recorded(actor, new, "position.holder_joined", {"position": position.key})


def remove_holders(actor: Actor, position: Position, users: Iterable[int]) -> int:
    """Take a position from people, by number; return how many held it."""
    gone = _to_be_removed(actor, users, position.holders.values_list("user_id", flat=True))
    gone = pending.leaving(actor, "position", position.id, gone)
    position.holders.filter(user_id__in=gone).delete()
    return _recorded(actor, gone, "position.holder_left", {"position": position.key})


def appoint_head(actor: Actor, department: Department, user: int | None) -> bool:
    """Make somebody the one head of a department, in place of the former; nobody leaves the post vacant.

    Return whether anything changed.
    """
    former = list(
        DepartmentPost.objects.filter(department=department, post=Post.HEAD).values_list("user_id", flat=True)
    )
    wanted = [] if user is None else [user]
    new = _to_be_added(actor, wanted, set(former))
    gone = [number for number in former if number not in wanted]
    comes = {number: Fact("head", number, department.id) for number in new}
    goes = {number: Fact("head", number, department.id, leaves=True) for number in gone}
    pending.forget_leaving(actor, "head", department.id, wanted)
    # Where the former head stays, bound by a prohibition, nobody comes in their place: both wait.
    waiting = pending.waiting_of(actor, [*comes.values(), *goes.values()])
    pending.keep(actor, waiting)
    new = [number for number, fact in comes.items() if fact not in waiting]
    gone = [number for number, fact in goes.items() if fact not in waiting]
    _leave_posts(actor, department, Post.HEAD, gone)
    _take_posts(actor, department, Post.HEAD, new)
    return bool(new or gone)


def add_assistants(actor: Actor, department: Department, users: Iterable[int]) -> int:
    """Make people assistants of a department, by number; return how many were not."""
    standing = set(
        DepartmentPost.objects.filter(department=department, post=Post.ASSISTANT).values_list(
            "user_id", flat=True
        )
    )
    users = list(users)
    new = _at_once(actor, "assistant", department.id, _to_be_added(actor, users, standing))
    pending.forget_leaving(actor, "assistant", department.id, users)
    return _take_posts(actor, department, Post.ASSISTANT, new)


def leave_posts(actor: Actor, department: Department, post: Post, users: Iterable[int]) -> int:
    """End a post of a department for those people who hold it, by number; return how many did."""
    held = DepartmentPost.objects.filter(department=department, post=post).values_list("user_id", flat=True)
    gone = pending.leaving(actor, post.value, department.id, _to_be_removed(actor, users, held))
    return _leave_posts(actor, department, post, gone)


def _create(actor: Actor, model: Any, kind: str, key: str, name: str) -> Any:
    guard.authorize(actor, "role.manage")
    if model.objects.filter(key=key).exists():
        raise Invalid({"key": [_("“%s” is taken already.") % key]})
    made = model(id=next_number(model), key=key, name=name)
    made.save(force_insert=True)
    record(actor, f"{kind}.created", data={"key": key, "name": name})
    return made


def _rename(actor: Actor, thing: Any, kind: str, name: str) -> None:
    guard.authorize(actor, "role.manage")
    before, thing.name = thing.name, name
    thing.save(update_fields=["name"])
    record(actor, f"{kind}.renamed", data={"key": thing.key, "before": before, "after": name})


def _to_be_added(actor: Actor, users: Iterable[int], standing: set[int]) -> list[int]:
    """Return who is new; raise Denied for oneself, Invalid for whoever has left or does not exist."""
    guard.authorize(actor, "user.manage")
    new = [number for number in dict.fromkeys(users) if number not in standing]
    if actor.user_id in new:
        raise guard.denied(actor, "user.manage")
    found = {user.id: user for user in User.objects.filter(id__in=new)}
    for number in new:
        if number not in found:
            raise Invalid({"users": [_("There is no account with the number %s.") % number]})
        if found[number].status == Status.LEFT:
            raise Invalid({"users": [_("%s has left.") % found[number].name]})
    return new


def _at_once(actor: Actor, field: str, thing: int, users: Sequence[int]) -> list[int]:
    """Return who comes to it at once, and keep the others until they are released."""
    waiting = pending.waiting_of(actor, [Fact(field, number, thing) for number in users])
    pending.keep(actor, waiting)
    return [number for number in users if Fact(field, number, thing) not in waiting]


def _to_be_removed(actor: Actor, users: Iterable[int], standing: Iterable[int]) -> list[int]:
    guard.authorize(actor, "user.manage")
    held = set(standing)
    return [number for number in dict.fromkeys(users) if number in held]


def _take_posts(actor: Actor, department: Department, post: Post, users: Sequence[int]) -> int:
    DepartmentPost.objects.bulk_create(
        DepartmentPost(department=department, post=post, user_id=number) for number in users
    )
    return _recorded(actor, users, "post.taken", {"department": department.code, "post": post.value})


def _leave_posts(actor: Actor, department: Department, post: Post, users: Sequence[int]) -> int:
    DepartmentPost.objects.filter(department=department, post=post, user_id__in=users).delete()
    return _recorded(actor, users, "post.left", {"department": department.code, "post": post.value})


def _recorded(actor: Actor, users: Sequence[int], type_name: str, data: dict[str, Any]) -> int:
    """Record for each person what happened to them, make reach true, and return how many they are."""
    record_many(
        actor,
        (Event(type_name, Target("user", number), data, subject=Subject("user", number)) for number in users),
    )
    if users:
        reach.changed()
    return len(users)
