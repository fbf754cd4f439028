"""Tables in files: read once, digested on the way, row by row. What a file is, its first bytes say, not its name.

`sheets` says what every table gives; `texts` reads CSV, `workbooks` reads XLSX and XLS, `encodings` finds out how a
text is written, `neutral` keeps spreadsheets from taking a text for a formula.
"""

from hufu.core.imports.files.opening import open_sheet
from hufu.core.imports.files.sheets import REASON, ROW, Cell, DateText, Row, Sheet
from hufu.core.imports.files.sources import Source

__all__ = ["REASON", "ROW", "Cell", "DateText", "Row", "Sheet", "Source", "open_sheet"]
