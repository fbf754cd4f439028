"""Whether an office document has macros: by what it holds, whatever its parts are called. In doubt it has."""

from __future__ import annotations

import re
import struct
import zlib
from html import unescape
from zipfile import BadZipFile, ZipFile

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
CONTENT_TYPES = "[content_types].xml"
LARGEST_CONTENT_TYPES = 4_000_000
# In the names of parts, and in their content types.
PARTS = ("vbaproject", "vbadata.xml", "macrosheets/")
TYPES = ("macroenabled", "vbaproject", "vbadata", "macrosheet", "<!doctype", "<!entity")
# Storages and streams of a project, in the directory of an OLE file: entries of 128 bytes, the name in UTF-16.
STORAGES = ("vba", "macros", "_vba_project", "_vba_project_cur", "projectwm")
ENTRY = 128
# A sheet of the kinds macro sheet (Excel 4) and module (Excel 5), as a workbook lists it.
SHEETS = re.compile(rb"\x85\x00[\x09-\x4f]\x00.{4}[\x00-\x02][\x01\x06]", re.DOTALL)
# What a presentation says of its project: the number of the object, then whether there are macros.
PRESENTATION = re.compile(
    rb"\xff\x03\x14\x00\x00\x00\x02\x00\x00\x04\x0c\x00\x00\x00.{4}(?!\x00{4})", re.DOTALL
)


def in_archive(archive: ZipFile) -> bool:
    """Say whether an Office Open XML document, or an archive that could be taken for one, has macros."""
    for part in archive.infolist():
        name = part.filename.replace("\\", "/").lower()
        if any(word in name for word in PARTS):
            return True
        if name.lstrip("/") == CONTENT_TYPES:
            if part.file_size > LARGEST_CONTENT_TYPES:
                return True
            try:
                with archive.open(part) as opened:
                    raw = opened.read(LARGEST_CONTENT_TYPES + 1)
            # All that the library raises for a part that is damaged, encrypted or packed in an unknown way: refused.
            except (BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError, ValueError):
                return True
            # In whatever encoding: names of types are ASCII.
            text = unescape(raw.replace(b"\0", b"").decode("latin-1")).lower()
            if len(raw) > LARGEST_CONTENT_TYPES or any(word in text for word in TYPES):
                return True
    return False


def in_ole(content: bytes) -> bool:
    """Say whether a document of Office 97 to 2003, or one inside it, has macros."""
    if "_vba_project".encode("utf-16-le") in content.lower():
        return True
    if any(_name(content, at) in STORAGES for at in range(0, len(content) - ENTRY + 1, ENTRY)):
        return True
    return bool(SHEETS.search(content) or PRESENTATION.search(content))


def _name(content: bytes, at: int) -> str:
    """Return the name of a directory entry in small letters, or "" where what stands there is none."""
    length, kind = struct.unpack_from("<HB", content, at + 64)
    if kind not in (1, 2) or not 4 <= length <= 64:
        return ""
    return content[at : at + length - 2].decode("utf-16-le", "replace").lower()
