"""What people send as files: what kind it is by its content, and whether it is taken.

The name says nothing about the kind. Images are drawn anew, so that nothing else travels in them: no place where a
photo was taken, no second file behind the picture. Programs, pages and scripts are refused; so are office documents
with macros.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import filetype
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from hufu.core.errors import Invalid
from hufu.core.text import is_storable
from hufu.crm import macros

OFFICE = "application/vnd.openxmlformats-officedocument"
# Kinds that are taken, and the endings that belong to them: the first is put behind a name that has none of them.
TAKEN: dict[str, tuple[str, ...]] = {
    "application/pdf": ("pdf",),
    f"{OFFICE}.wordprocessingml.document": ("docx",),
    f"{OFFICE}.spreadsheetml.sheet": ("xlsx",),
    f"{OFFICE}.presentationml.presentation": ("pptx",),
    "application/msword": ("doc", "wps"),
    "application/vnd.ms-excel": ("xls", "et"),
    "application/vnd.ms-powerpoint": ("ppt", "dps"),
    "application/zip": ("zip",),
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "text/plain": ("txt", "csv", "md", "log"),
}
IMAGES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}
LARGEST_IMAGE = 50_000_000
LONGEST_NAME = 200
ENCODINGS = ("utf-8", "gb18030")
# What makes a browser take a text for a page.
ACTIVE = ("<!doctype", "<html", "<script", "<svg", "<?xml", "<body", "<iframe", "#!", "<?php")
PARTS_OF_OFFICE = {
    "word/document.xml": f"{OFFICE}.wordprocessingml.document",
    "xl/workbook.xml": f"{OFFICE}.spreadsheetml.sheet",
    "ppt/presentation.xml": f"{OFFICE}.presentationml.presentation",
}


@dataclass(frozen=True)
class Upload:
    """A file that is taken: its name with the ending of its kind, the kind, and the bytes to keep."""

    name: str
    media: str
    content: bytes


def accepted(name: str, content: bytes) -> Upload:
    """Return a file as it may be kept; raise Invalid with the problem of the field `file`."""
    if len(content) > settings.LARGEST_ATTACHMENT:
        raise _refused(_("This file is too large: at most %s.") % filesizeformat(settings.LARGEST_ATTACHMENT))
    if not content:
        raise _refused(_("This file is empty."))
    media = kind(content)
    if media not in TAKEN:
        raise _refused(
            _(
                "Files of this kind are not taken. Send PDF, Office documents without macros, images, text or ZIP."
            )
        )
    if media in IMAGES:
        content = redrawn(content, IMAGES[media])
    return Upload(_name(name, media), media, content)


def kind(content: bytes) -> str:
    """Return the media type that the content is of, or "" where it is none that is known."""
    if content.startswith(b"PK\x03\x04"):
        return _kind_of_archive(content)
    if content.startswith(macros.OLE) and macros.in_ole(content):
        return ""
    guessed = filetype.guess(content)
    if guessed is not None:
        return str(guessed.mime)
    return "text/plain" if _is_plain_text(content) else ""


def _kind_of_archive(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            if macros.in_archive(archive):
                return ""
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        return ""
    return next((media for part, media in PARTS_OF_OFFICE.items() if part in names), "application/zip")


def _is_plain_text(content: bytes) -> bool:
    for encoding in ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        begins = text.lstrip("\ufeff \t\r\n").lower()
        controls = any(ord(character) < 32 and character not in "\t\r\n\f" for character in text)
        return not controls and not begins.startswith(ACTIVE) and "<script" not in begins
    return False


def redrawn(content: bytes, form: str) -> bytes:
    """Return an image drawn anew: its pixels, and nothing else that stood in the file."""
    try:
        with Image.open(io.BytesIO(content), formats=[form]) as image:
            if image.width * image.height * getattr(image, "n_frames", 1) > LARGEST_IMAGE:
                raise _refused(_("This image is too large: at most 50 million pixels."))
            options: dict[str, Any] = {"save_all": True} if getattr(image, "n_frames", 1) > 1 else {}
            drawn: Image.Image = image
            if not options:
                drawn = ImageOps.exif_transpose(image)
            drawn.info = {
                key: drawn.info[key] for key in ("duration", "loop", "transparency") if key in drawn.info
            }
            if form == "JPEG":
                options |= {"quality": 90}
            sink = io.BytesIO()
            drawn.save(sink, form, exif=b"", **options) if form != "GIF" else drawn.save(
                sink, form, **options
            )
            return sink.getvalue()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise _refused(_("This image is damaged. Save it anew and send it again.")) from None


def _name(said: str, media: str) -> str:
    """Return the last part of a name, storable, with an ending of its kind."""
    name = PureWindowsPath(PurePosixPath(said).name).name.strip(" .")
    name = "".join(character for character in name if character.isprintable())
    if not name or not is_storable(name):
        name = _("File")
    endings = TAKEN[media]
    if name.rpartition(".")[2].lower() not in endings or "." not in name:
        name = f"{name}.{endings[0]}"
    stem, _dot, ending = name.rpartition(".")
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}"


def _refused(why: str) -> Invalid:
    return Invalid({"file": [why]})
