"""From tables to drafts of records, as a map says. Knows neither the database nor what a record is.

A *map* (maps) says what the rows of a file mean. A *plan* (plan) binds it to files and turns each row into drafts:
texts per field, with where they came from. What becomes of a draft is decided by the package that owns the type.
Everything that happens on the way stands in the *report*.
"""

from hufu.core.imports.maps import REFUSE, Map, Record, Shape, Value, read_map
from hufu.core.imports.names import Names
from hufu.core.imports.plan import Draft, Plan
from hufu.core.imports.refused import ErrorFile
from hufu.core.imports.report import ImportRefused, ReadFile, Report, Unfit

__all__ = [
    "REFUSE",
    "Draft",
    "ErrorFile",
    "ImportRefused",
    "Map",
    "Names",
    "Plan",
    "ReadFile",
    "Record",
    "Report",
    "Shape",
    "Unfit",
    "Value",
    "read_map",
]
