"""The one registry: resource types, their fields, and all permissions. Declared in code, never in data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from django.apps import apps

from hufu.access.decision.scopes import NAMES
from hufu.access.decision.states import State, closing
from hufu.access.decision.terms import Need, Requirement, Right, Share

if TYPE_CHECKING:
    from django.db.models import Model
    from django_stubs_ext import StrOrPromise
else:
    StrOrPromise = object

RECORD_SCOPES = tuple(NAMES)
# A team membership is a share of view and edit already; `team` is a scope of the other verbs.
SHARED_SCOPES = tuple(name for name in NAMES if name != "team")
CREATE_SCOPES = ("own", "everything")
# Out of the pools of which one is a member, or out of any.
CLAIM_SCOPES = ("own", "everything")
SYSTEM_SCOPES = ("everything",)
# Permissions of following types are held or not: their scope is their parent's.
HELD_SCOPES = ("everything",)
# What a team membership opens, and what restoring and purging act on.
SHARES = {"view": Share.READ, "edit": Share.EDIT}
BIN_VERBS = frozenset({"restore", "purge"})
# What membership of a pool opens, and what acts on records in a pool alone.
OPEN_TO_POOL = frozenset({"view", "claim"})
POOL_VERBS = frozenset({"claim"})
# What somebody may do for a colleague who is away. No verb that hands records or rights on: what is lent ends.
DELEGABLE_VERBS = frozenset({"view", "create", "edit", "delete", "restore"})
# What a share across the wall opens of what follows its record. Everything else asks for the partition's right.
CROSSING_VERBS = frozenset({"view", "create", "edit"})
# What asks of a parent no more than its view.
READING_VERBS = frozenset({"view", "reveal"})
# Verbs that are about records that are yet to be.
NEW_VERBS = frozenset({"create", "import"})
# Verbs that are about whatever a partition holds, seen or not: the duplicate check, and who works off its findings.
PLACE_VERBS = frozenset({"check_duplicate", "steward"})


class Risk(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Sensitivity(StrEnum):
    """A mark on a field; what it means without a rule stands in hufu.access.fields."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    CONFIDENTIAL = "confidential"


class Kind(StrEnum):
    """How a field is written, read and compared."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    INTEGER = "integer"
    MONEY = "money"
    DATE = "date"
    TIMESTAMP = "timestamp"
    CHOICE = "choice"
    PHONE = "phone"
    EMAIL = "email"
    IDENTITY_NUMBER = "identity_number"
    PRIVATE_ADDRESS = "private_address"
    BANK_ACCOUNT = "bank_account"
    URL = "url"
    CODE = "code"
    REFERENCE = "reference"
    USER = "user"
    DEPARTMENT = "department"
    PARTITION = "partition"


# What somebody could be reached, impersonated or visited with is encrypted wherever it stands.
ENCRYPTED_KINDS = frozenset(
    {Kind.PHONE, Kind.EMAIL, Kind.IDENTITY_NUMBER, Kind.PRIVATE_ADDRESS, Kind.BANK_ACCOUNT}
)


class Search(StrEnum):
    """How the search box finds a field. An encrypted one is found by the whole value, through blind indexes."""

    PREFIX = "prefix"
    EXACT = "exact"


@dataclass(frozen=True)
class Permission:
    """A permission: thing-dot-verb, its danger, the partition right it needs, the scopes it can take."""

    name: str
    label: StrOrPromise
    risk: Risk = Risk.LOW
    right: Right | None = None
    scopes: tuple[str, ...] = RECORD_SCOPES
    help: StrOrPromise = ""

    @property
    def verb(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def may_be_delegated(self) -> bool:
        """Whether somebody may lend it while away: daily work with records, nothing that gives records to people."""
        return self.verb in DELEGABLE_VERBS and type_of(self.name) is not None


@dataclass(frozen=True)
class Field:
    """A field of a resource type, the same for pages, import, log and fields' rights.

    `system` fields are set by deeds alone (owner, department, partition, times). `sort` names the column
    that orders lists by this field; a field without it cannot be sorted by. `reference` names the resource
    type that a REFERENCE points at, `currency` the field that names the currency of a MONEY amount;
    `smallest` and `largest` bound an INTEGER. `encrypted` fields are sealed in the database; some kinds always are.
    `in_rules`: a TEXT that sharing rules can compare; most other open kinds always can (hufu.access.rule_fields).
    `checkable`: the duplicate check finds records by the exact value; of a following type, encrypted ones find the
    record that it belongs to. `exclusive`: no two records of a partition have
    the same value, seen or not, but for those in the bin (docs/decisions/0026); the model has a column `NAME_repeated`.
    """

    name: str
    label: StrOrPromise
    kind: Kind = Kind.TEXT
    sensitivity: Sensitivity = Sensitivity.INTERNAL
    required: bool = False
    system: bool = False
    choices: tuple[tuple[str, StrOrPromise], ...] = ()
    max_length: int = 200
    smallest: int = 0
    largest: int = 2**31 - 1
    filterable: bool = False
    sort: str | None = None
    search: Search | None = None
    in_list: bool = False
    reference: str | None = None
    currency: str | None = None
    help: StrOrPromise = ""
    encrypted: bool = False
    in_rules: bool = False
    checkable: bool = False
    exclusive: bool = False

    def __post_init__(self) -> None:
        if self.is_encrypted and (self.sort or self.filterable or self.search is Search.PREFIX):
            raise ValueError(f"{self.name} is encrypted: it cannot be sorted, filtered or searched by a part")
        if self.exclusive and (self.is_encrypted or self.kind is not Kind.CODE):
            raise ValueError(f"{self.name} is no open code: it cannot be exclusive")

    @property
    def is_encrypted(self) -> bool:
        """Whether the database holds the value sealed."""
        return self.encrypted or self.kind in ENCRYPTED_KINDS

    @property
    def column(self) -> str:
        """The attribute that holds the value: `owner_id` for a relation called `owner`."""
        related = {Kind.REFERENCE, Kind.USER, Kind.DEPARTMENT, Kind.PARTITION}
        return f"{self.name}_id" if self.kind in related else self.name

    def choice_label(self, value: str) -> StrOrPromise:
        return dict(self.choices).get(value, value)


@dataclass(frozen=True)
class ResourceType:
    """A type of business record: its table, permissions and fields.

    An independent type has its own owner, department, partition and team. A following type names its `parent`
    (a field of its own that refers to it) and is decided with it. `is_person`: its records are about people, who have
    rights of their own to what is kept of them. `pooled`: its records either have an owner or lie in a pool.
    """

    name: str
    label: StrOrPromise
    label_plural: StrOrPromise
    model: str
    permissions: tuple[Permission, ...]
    fields: tuple[Field, ...]
    title: str = "name"
    default_sort: str = "-updated_at"
    icon: str = "file"
    parent: str = ""
    is_person: bool = False
    pooled: bool = False
    by_name: Mapping[str, Field] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {declared.name: declared for declared in self.fields})
        if self.pooled and any(declared.kind is Kind.REFERENCE for declared in self.fields):
            raise ValueError(
                f"{self.name} belongs to other records: these would take it out of its pool's partition"
            )

    @property
    def model_class(self) -> type[Model]:
        return apps.get_model(self.model)

    @property
    def table(self) -> str:
        return self.model_class._meta.db_table

    def permission(self, verb: str) -> str:
        """Return the full name of a permission of this type; raise KeyError when it declares none."""
        name = f"{self.name}.{verb}"
        if name not in _permissions:
            raise KeyError(name)
        return name

    def has(self, verb: str) -> bool:
        """Say whether the type declares a permission for this verb."""
        return f"{self.name}.{verb}" in _permissions

    @cached_property
    def states(self) -> State:
        """The states that records of this type can be in: those whose permission it declares."""
        declared = {permission.name for permission in self.permissions}
        void = State.VOID if f"{self.name}.void" in declared else State.OPEN
        return void | (State.LOCKED | State.PENDING if f"{self.name}.lock" in declared else State.OPEN)

    @property
    def parent_type(self) -> ResourceType | None:
        """The type that records of this one are decided with; None for an independent type."""
        reference = self.by_name[self.parent].reference if self.parent else None
        return resource_type(reference) if reference else None

    @property
    def independent(self) -> ResourceType:
        """The type that decides: this one, or its parent."""
        return self.parent_type or self

    def takes_along(self) -> tuple[tuple[ResourceType, Field], ...]:
        """Return the independent types whose records can name one of this type, and by which field.

        A share of this one can take such records along. Following types are decided with their parent anyway.
        """
        return tuple(
            (other, declared)
            for other in resource_types()
            for declared in other.fields
            if declared.reference == self.name and not other.parent and other is not self
        )

    def editable_fields(self) -> tuple[Field, ...]:
        return tuple(declared for declared in self.fields if not declared.system)

    def checkable_fields(self) -> tuple[Field, ...]:
        """Return the fields by whose exact value the duplicate check finds records."""
        return tuple(declared for declared in self.fields if declared.checkable)

    def checked_along(self) -> tuple[tuple[ResourceType, Field], ...]:
        """Return the fields of following types by whose exact value the check finds the record that they belong to."""
        return tuple(
            (other, declared)
            for other in resource_types()
            if other.parent_type is self
            for declared in other.checkable_fields()
            if declared.is_encrypted
        )

    def checked(self, name: str) -> tuple[ResourceType, Field]:
        """Return what a check found something by: a field of the type, or (`TYPE.FIELD`) of what follows it."""
        of, _dot, last = name.rpartition(".")
        resource = resource_type(of) if of else self
        return resource, resource.by_name[last]

    def exclusive_fields(self) -> tuple[Field, ...]:
        """Return the fields whose values no two records of a partition share."""
        return tuple(declared for declared in self.fields if declared.exclusive)


# Deeds that need no permission; quotas count them all the same.
_counted: dict[str, StrOrPromise] = {}
_types: dict[str, ResourceType] = {}
_permissions: dict[str, Permission] = {}


def declare_type(resource: ResourceType) -> ResourceType:
    """Add a resource type and its permissions. Declaring a name twice is a programming error."""
    if resource.name in _types:
        raise ValueError(f"resource type {resource.name} is declared twice")
    declare_permissions(resource.permissions)
    _types[resource.name] = resource
    return resource


def declare_permissions(permissions: Iterable[Permission]) -> None:
    """Add permissions."""
    for declared in permissions:
        if declared.name in _permissions:
            raise ValueError(f"permission {declared.name} is declared twice")
        _permissions[declared.name] = declared


def declare_counted(name: str, label: StrOrPromise) -> None:
    """Add a deed that needs no permission, so that a quota can count it."""
    _counted[name] = label


def is_counted(name: str) -> bool:
    """Say whether quotas count uses of this: what is done with records, and deeds that say so."""
    return name in _counted or (name in _permissions and type_of(name) is not None)


def label_of(name: str) -> StrOrPromise:
    """Return what a permission, or a deed that needs none, is called; an unknown name is a KeyError."""
    return _counted[name] if name in _counted else permission(name).label


def resource_type(name: str) -> ResourceType:
    """Return the resource type; an unknown name is a KeyError."""
    return _types[name]


def resource_types() -> tuple[ResourceType, ...]:
    """Return all resource types in the order of their declaration."""
    return tuple(_types.values())


def permission(name: str) -> Permission:
    """Return the permission; an unknown name is a KeyError."""
    return _permissions[name]


def permissions() -> tuple[Permission, ...]:
    """Return all permissions in the order of their declaration."""
    return tuple(_permissions.values())


def type_of(permission_name: str) -> ResourceType | None:
    """Return the resource type whose records a permission is about, or None for a system permission."""
    return _types.get(permission(permission_name).name.rpartition(".")[0])


def is_about_records(name: str) -> bool:
    """Say whether a permission is about existing records of some type."""
    return type_of(name) is not None and permission(name).verb not in NEW_VERBS | PLACE_VERBS


@cache
def requirement(name: str) -> Requirement:
    """Return what using a permission on an existing record asks for: view on it first (DESIGN 2.1), then itself.

    For a following type what only reads asks for view of the parent, everything else for edit of it (DESIGN 2.4);
    neither by a share across the wall, but for view, create and edit.
    """
    resource = type_of(name)
    if resource is None:
        raise ValueError(f"{name} is not about records")
    wanted = dict.fromkeys((resource.permission("view"), name))
    parent = resource.parent_type
    if parent is None:
        needs = [_need(each) for each in wanted]
    else:
        needs = [
            Need(each, None, closed_in=closing(permission(each).verb) & resource.states) for each in wanted
        ]
        verbs = dict.fromkeys(("view", "view" if permission(name).verb in READING_VERBS else "edit"))
        walled = permission(name).verb not in CROSSING_VERBS
        needs += [replace(_need(parent.permission(verb)), of_parent=True, walled=walled) for verb in verbs]
    verb = permission(name).verb
    return Requirement(tuple(needs), verb in BIN_VERBS, verb in POOL_VERBS)


@cache
def giving_edit(resource_name: str) -> Requirement:
    """Return what sharing a record for editing asks for: share and edit, both as one's own or neither.

    INVARIANT: what is lent is not given on. Sharing is never lent, so the two meet in nobody's but one's own terms.
    """
    resource = resource_type(resource_name)
    needs = (*requirement(resource.permission("share")).needs, _need(resource.permission("edit")))
    return Requirement(needs)


@cache
def inside(name: str) -> Requirement:
    """Return what a permission asks for where a share across the wall does not count."""
    asked = requirement(name)
    return replace(asked, needs=tuple(replace(need, walled=True) for need in asked.needs))


def _need(name: str) -> Need:
    declared, resource = permission(name), type_of(name)
    assert resource is not None
    closed = closing(declared.verb) & resource.states
    pooled = resource.pooled and declared.verb in OPEN_TO_POOL
    return Need(name, declared.right, SHARES.get(declared.verb, Share.NONE), closed_in=closed, pooled=pooled)


def record_permissions(type_name: str, *, label: Mapping[str, Any]) -> tuple[Permission, ...]:
    """Return the permissions of an independent business type whose verbs `label` maps to labels.

    `void` and `lock` give its records these states (hufu.access.decision.states), and the columns that they stand in.
    """
    shapes: dict[str, tuple[Risk, Right, tuple[str, ...]]] = {
        "view": (Risk.LOW, Right.READ, SHARED_SCOPES),
        "create": (Risk.LOW, Right.CREATE, CREATE_SCOPES),
        "edit": (Risk.LOW, Right.EDIT, SHARED_SCOPES),
        "delete": (Risk.MEDIUM, Right.DELETE, RECORD_SCOPES),
        "restore": (Risk.MEDIUM, Right.DELETE, RECORD_SCOPES),
        "purge": (Risk.HIGH, Right.DELETE, RECORD_SCOPES),
        "transfer": (Risk.MEDIUM, Right.EDIT, RECORD_SCOPES),
        "share": (Risk.MEDIUM, Right.EDIT, RECORD_SCOPES),
        "move_partition": (Risk.HIGH, Right.EDIT, RECORD_SCOPES),
        "void": (Risk.MEDIUM, Right.EDIT, RECORD_SCOPES),
        "lock": (Risk.MEDIUM, Right.EDIT, RECORD_SCOPES),
        "import": (Risk.MEDIUM, Right.CREATE, CREATE_SCOPES),
        "reveal": (Risk.HIGH, Right.READ, RECORD_SCOPES),
        "check_duplicate": (Risk.MEDIUM, Right.READ, HELD_SCOPES),
        "steward": (Risk.MEDIUM, Right.EDIT, HELD_SCOPES),
        "claim": (Risk.MEDIUM, Right.EDIT, CLAIM_SCOPES),
    }
    return tuple(
        Permission(f"{type_name}.{verb}", label[verb], risk, right, scopes)
        for verb, (risk, right, scopes) in shapes.items()
        if verb in label
    )


def following_permissions(type_name: str, *, label: Mapping[str, Any]) -> tuple[Permission, ...]:
    """Return the permissions of a following type whose verbs `label` maps to labels."""
    risks = {
        "view": Risk.LOW,
        "create": Risk.LOW,
        "edit": Risk.LOW,
        "delete": Risk.MEDIUM,
        "restore": Risk.MEDIUM,
        "purge": Risk.HIGH,
        "reveal": Risk.HIGH,
        "disclose": Risk.HIGH,
        "erase": Risk.HIGH,
    }
    return tuple(
        Permission(f"{type_name}.{verb}", label[verb], risk, None, HELD_SCOPES)
        for verb, risk in risks.items()
        if verb in label
    )
