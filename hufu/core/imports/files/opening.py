"""Opening a table, whatever kind of file it stands in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hufu.core.imports.files.sheets import Sheet
from hufu.core.imports.files.sources import Source
from hufu.core.imports.files.texts import TextSheet
from hufu.core.imports.files.workbooks import MAGIC, WorkbookSheet

if TYPE_CHECKING:
    from hufu.core.imports.maps import File


def open_sheet(source: Path | Source, file: File) -> Sheet:
    """Return the table in a file; raise Invalid where it cannot be read, Unavailable where there is no file."""
    source = source if isinstance(source, Source) else Source(source)
    if source.beginning(len(MAGIC[0])).startswith(MAGIC):
        return WorkbookSheet(source, file.sheet)
    return TextSheet(source, file.encoding, file.delimiter)
