"""The company of named people."""

from tests.company import (
    company,
    company_database,
    database_of_module,
    shared,
    shared_database,
    unharmed,
)

__all__ = ["company", "company_database", "database_of_module", "shared", "shared_database", "unharmed"]
