"""Bringing records in from files, all or nothing. Each row is authorized like a single deed.

    with acting(actor):
        report = import_records(actor, CUSTOMER, plan)     # ImportRefused where any row is

What a map may say stands in `hufu.core.imports` and in docs/import.md.
"""

from hufu.crm.imports.records import import_records, shape

__all__ = ["import_records", "shape"]
