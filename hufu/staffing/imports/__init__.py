"""Bringing departments and people in from files, in any order of rows.

    with acting(actor):
        report = import_users(actor, plan)     # ImportRefused where any row is, unless the plan skips errors

Nobody who was imported can sign in until they are invited.
"""

from hufu.staffing.imports.departments import DEPARTMENTS, import_departments
from hufu.staffing.imports.users import USERS, import_users

__all__ = ["DEPARTMENTS", "USERS", "import_departments", "import_users"]
