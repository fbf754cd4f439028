"""The facts that rights are derived from. Small dense integers are their numbers: bitmaps are indexed by them."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

# What counts as a fact and keeps its past (see hufu.core.schema.history_sql).
FACT_COLUMNS: dict[str, tuple[str, ...]] = {
    "people_department": ("parent_id", "name", "code"),
    "people_user": (
        "username",
        "name",
        "email",
        "external_id",
        "title",
        "status",
        "main_department_id",
        "manager_id",
        "level_id",
    ),
    "people_membership": ("user_id", "department_id"),
    "people_ladder": ("key", "name"),
    "people_level": ("ladder_id", "key", "name", "rank"),
    "people_level_includes": ("level_id", "includes_id"),
    "people_group": ("key", "name"),
    "people_group_member": ("group_id", "user_id"),
    "people_position": ("key", "name"),
    "people_position_holder": ("position_id", "user_id"),
    "people_department_post": ("department_id", "post", "user_id"),
}


class Status(models.TextChoices):
    """Whether an account's gate is open. Signing in needs a password or another proof on top."""

    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")
    LEFT = "left", _("Left")


class Department(models.Model):
    """A node of the organisation tree."""

    id = models.IntegerField(primary_key=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    name = models.CharField(max_length=120)
    code = models.CharField(max_length=64, unique=True, db_collation="C")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "people_department"

    def __str__(self) -> str:
        return self.name


class Ladder(models.Model):
    """A sequence of levels; the higher level holds what the lower ones hold."""

    id = models.IntegerField(primary_key=True)
    key = models.CharField(max_length=64, unique=True, db_collation="C")
    name = models.CharField(max_length=120)
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "people_ladder"

    def __str__(self) -> str:
        return self.name


class Level(models.Model):
    """A rank on a ladder; 1 is the lowest."""

    id = models.IntegerField(primary_key=True)
    ladder = models.ForeignKey(Ladder, models.PROTECT, related_name="levels")
    key = models.CharField(max_length=64, db_collation="C")
    name = models.CharField(max_length=120)
    rank = models.SmallIntegerField()
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "people_level"
        constraints = (
            models.UniqueConstraint(fields=["ladder", "key"], name="people_level_key"),
            models.UniqueConstraint(
                fields=["ladder", "rank"], name="people_level_rank", deferrable=models.Deferrable.DEFERRED
            ),
        )

    def __str__(self) -> str:
        return self.name


class LevelIncludes(models.Model):
    """`level` holds what `includes`, a level of another ladder, holds. No level comes to hold one above itself."""

    id = models.BigAutoField(primary_key=True)
    level = models.ForeignKey(Level, models.PROTECT, related_name="includes_rows")
    includes = models.ForeignKey(Level, models.PROTECT, related_name="included_by_rows")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "people_level_includes"
        constraints = (
            models.UniqueConstraint(fields=["level", "includes"], name="people_level_includes_once"),
        )


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username=username)


class User(AbstractBaseUser):
    """An account, and the facts of the person: main department, manager, level, status."""

    id = models.IntegerField(primary_key=True)
    username = models.CharField(max_length=150, unique=True, db_collation="C")
    name = models.CharField(max_length=120)
    name_sort = models.CharField(max_length=240, db_collation="C", default="", blank=True)
    email = models.EmailField(blank=True, default="")
    external_id = models.CharField(max_length=120, unique=True, null=True, db_collation="C")
    title = models.CharField(max_length=120, blank=True, default="")
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE, db_collation="C")
    main_department = models.ForeignKey(Department, models.PROTECT, null=True, related_name="main_members")
    manager = models.ForeignKey("self", models.PROTECT, null=True, related_name="reports")
    level = models.ForeignKey(Level, models.PROTECT, null=True, related_name="holders")
    language = models.CharField(max_length=16, blank=True, default="", db_collation="C")
    # Every link to choose a password is made with a number of its own: only the newest works. The database renews it
    # when the account closes: sign-ins that wait for their second half hang on it too.
    link_number = models.IntegerField(default=0, db_default=0)
    # Since when a browser of theirs was confirmed. It stays when that browser is forgotten.
    device_confirmed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    valid_from = models.DateTimeField(db_default=Now())

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "people_user"

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        return self.status == Status.ACTIVE

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name


class Membership(models.Model):
    """A secondary department of a user."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    department = models.ForeignKey(Department, models.PROTECT, related_name="secondary_members")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "people_membership"
        constraints = (models.UniqueConstraint(fields=["user", "department"], name="people_membership_once"),)


class Group(models.Model):
    """A free set of users. Groups do not nest."""

    id = models.IntegerField(primary_key=True)
    key = models.CharField(max_length=64, unique=True, db_collation="C")
    name = models.CharField(max_length=120)
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "people_group"

    def __str__(self) -> str:
        return self.name


class GroupMember(models.Model):
    """A user in a group."""

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(Group, models.PROTECT, related_name="members")
    user = models.ForeignKey(User, models.PROTECT, related_name="groups")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "people_group_member"
        constraints = (models.UniqueConstraint(fields=["group", "user"], name="people_group_member_once"),)


class Position(models.Model):
    """A job title (岗位) that can carry roles."""

    id = models.IntegerField(primary_key=True)
    key = models.CharField(max_length=64, unique=True, db_collation="C")
    name = models.CharField(max_length=120)
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "people_position"

    def __str__(self) -> str:
        return self.name


class PositionHolder(models.Model):
    """A user in a position; a user may hold several."""

    id = models.BigAutoField(primary_key=True)
    position = models.ForeignKey(Position, models.PROTECT, related_name="holders")
    user = models.ForeignKey(User, models.PROTECT, related_name="positions")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "people_position_holder"
        constraints = (
            models.UniqueConstraint(fields=["position", "user"], name="people_position_holder_once"),
        )


class Post(models.TextChoices):
    """A post of a department: one head (负责人), any number of assistants (助理)."""

    HEAD = "head", _("Head of department")
    ASSISTANT = "assistant", _("Assistant of department")


class DepartmentPost(models.Model):
    """Who holds a post of a department. A post that nobody holds is vacant: there is no row."""

    id = models.BigAutoField(primary_key=True)
    department = models.ForeignKey(Department, models.PROTECT, related_name="posts")
    post = models.CharField(max_length=16, choices=Post, db_collation="C")
    user = models.ForeignKey(User, models.PROTECT, related_name="posts")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "people_department_post"
        constraints = (
            models.UniqueConstraint(
                fields=["department", "post", "user"], name="people_department_post_once"
            ),
            models.UniqueConstraint(
                fields=["department"], condition=models.Q(post="head"), name="people_department_one_head"
            ),
        )


class Device(models.Model):
    """A browser in which somebody signed in: known by a token in its cookie, of which only a hash lies here.

    It is new until its person said that it was theirs (`confirmed_at`), and trusted until a moment, if at all. No row
    policy protects this table: it is asked while somebody signs in.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="devices")
    hash = models.CharField(max_length=64, db_collation="C")
    agent = models.CharField(max_length=300, blank=True, default="")
    address = models.CharField(max_length=45, blank=True, default="", db_collation="C")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    trusted_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "people_device"
        constraints = (models.UniqueConstraint(fields=["user", "hash"], name="people_device_once"),)


class Session(models.Model):
    """An open sign-in. A session that is not listed here is over, whatever its cookie says.

    `key` is that of the session's row in Django's table. No row policy protects this table: the middleware asks it
    before anybody has an identity.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="sessions")
    key = models.CharField(max_length=40, unique=True, db_collation="C")
    agent = models.CharField(max_length=300, blank=True, default="")
    address = models.CharField(max_length=45, blank=True, default="", db_collation="C")
    device = models.ForeignKey(Device, models.SET_NULL, null=True, related_name="sessions")
    signed_in_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        db_table = "people_session"


class ChosenPassword(models.Model):
    """A password that somebody chose, as a hash: the last few, where the profile forbids to choose them again."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    hash = models.CharField(max_length=128, db_collation="C")
    chosen_at = models.DateTimeField()

    class Meta:
        db_table = "people_chosen_password"
