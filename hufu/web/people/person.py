"""One person as the page of a person shows them: facts, what they belong to, who reports to them."""

from __future__ import annotations

from dataclasses import dataclass

from hufu.people.models import Department, DepartmentPost, Group, Position, Post, Status, User

# A manager of more is shown the first of them, by name.
SHOWN_REPORTS = 100


@dataclass(frozen=True)
class Profile:
    """What is shown of a person; `posts` are (what, where)."""

    person: User
    status: str
    tone: str
    other_departments: list[Department]
    groups: list[Group]
    positions: list[Position]
    posts: list[tuple[str, Department]]
    reports: list[User]
    reports_count: int

    @property
    def belongs(self) -> bool:
        return bool(self.groups or self.positions or self.posts)


def profile(person: User, tone: str) -> Profile:
    """Return what is shown of a person."""
    reports = User.objects.filter(manager=person).exclude(status=Status.LEFT)
    posts = DepartmentPost.objects.filter(user=person).select_related("department").order_by("department_id")
    return Profile(
        person=person,
        status=str(Status(person.status).label),
        tone=tone,
        other_departments=list(Department.objects.filter(secondary_members__user=person).order_by("id")),
        groups=list(Group.objects.filter(members__user=person).order_by("name", "id")),
        positions=list(Position.objects.filter(holders__user=person).order_by("name", "id")),
        posts=[(str(Post(row.post).label), row.department) for row in posts],
        reports=list(
            reports.select_related("main_department", "level").order_by("name_sort", "id")[:SHOWN_REPORTS]
        ),
        reports_count=reports.count(),
    )
