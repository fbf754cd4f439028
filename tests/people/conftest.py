"""The company of named people."""

from tests.company import company, company_database, shared, shared_database

__all__ = ["company", "company_database", "shared", "shared_database"]
