"""How a text file is written: what its byte order mark says, else UTF-8 if all of it is, else GB18030 if it looks so.

GB18030 holds GBK and GB2312. Nearly every sequence of bytes is valid GB18030, so a file is only taken for it where its
characters are those of everyday Chinese; otherwise the map has to say `encoding`.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

from hufu.core.imports.files.sources import CHUNK, Source

UTF_8, UTF_16, GB18030 = "UTF-8", "UTF-16", "GB18030"
# What a map may say, and what Python calls it.
STATED = {
    "utf-8": "utf-8",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "big5": "big5hkscs",
    "windows-1252": "cp1252",
    "iso-8859-1": "iso-8859-1",
}
# GB2312 holds 99.75 % of running Chinese text; of a file in another encoding it holds less than half.
EVERYDAY_SHARE = 0.9


@dataclass(frozen=True)
class Encoding:
    """What the report calls it, what Python calls it, and whether it was found out rather than said."""

    label: str
    codec: str
    detected: bool


def encoding_of(source: Source, stated: str) -> Encoding | None:
    """Return how the file is written, or None where that cannot be told. A byte order mark is always right."""
    beginning = source.beginning(3)
    if beginning.startswith(codecs.BOM_UTF8):
        return Encoding(UTF_8, "utf-8-sig", detected=False)
    if beginning[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return Encoding(UTF_16, "utf-16", detected=False)
    if stated:
        return Encoding(stated.upper(), STATED[stated], detected=False)
    if _is_utf_8(source):
        return Encoding(UTF_8, "utf-8", detected=False)
    return Encoding(GB18030, "gb18030", detected=True) if _is_everyday_chinese(source) else None


def _is_utf_8(source: Source) -> bool:
    try:
        for text in _decoded(source, "utf-8"):
            if "\0" in text:
                return False
    except UnicodeDecodeError:
        return False
    return True


def _is_everyday_chinese(source: Source) -> bool:
    foreign = everyday = 0
    try:
        for text in _decoded(source, "gb18030"):
            if "\0" in text:
                return False
            ascii = sum(character < "\x80" for character in text)
            foreign += len(text) - ascii
            everyday += (len(text.encode("gb2312", "ignore")) - ascii) // 2
    except UnicodeDecodeError:
        return False
    return everyday >= EVERYDAY_SHARE * foreign


def _decoded(source: Source, codec: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(codec)()
    with source.open() as stream:
        while chunk := stream.read(CHUNK):
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)
