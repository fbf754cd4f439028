"""The company of named people."""

from tests.company import (
    beginning,
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
    "beginning",
    "begun",
    "company",
    "company_database",
    "database_begun",
    "database_of_module",
    "shared",
    "shared_database",
    "unharmed",
]
