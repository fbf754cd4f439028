"""The company of named people."""

from tests.company import (
    begun,
    company,
    company_database,
    database_begun,
    database_of_module,
    shared,
    shared_database,
    unharmed,
)

__all__ = [
    "begun",
    "company",
    "company_database",
    "database_begun",
    "database_of_module",
    "shared",
    "shared_database",
    "unharmed",
]
