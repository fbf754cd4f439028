"""What is taken as a file: the content says what it is, and nothing travels in an image but its pixels."""

from __future__ import annotations

import io
import zipfile

import pytest
from PIL import Image

from hufu.core.errors import Invalid
from hufu.crm.uploads import OFFICE, accepted, kind

PHONE = b"13800006621"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


def image(form, **options):
    sink = io.BytesIO()
    Image.new("RGB", (8, 6), (200, 30, 30)).save(sink, form, **options)
    return sink.getvalue()


def archive(*names, **more):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as made:
        for name in names:
            made.writestr(name, "x")
        for name, content in more.items():
            made.writestr(name, content)
    return sink.getvalue()


def typed(kind, encoding="utf-8"):
    """Return the part that says which parts are of which type."""
    said = (
        f'<?xml version="1.0"?><Types><Override PartName="/word/document.xml" ContentType="{kind}"/></Types>'
    )
    return {"[Content_Types].xml": said.encode(encoding)}


def old_word(*names, more=b""):
    """Return a document of Word 97 with these storages, as far as is looked at."""
    entries = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0") + bytes([2 * len(name) + 2, 0, 1]) + bytes(61)
        for name in names
    )
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + b"\xec\xa5\xc1\x00" + bytes(2044) + entries + more
    )


@pytest.mark.parametrize(
    ("said", "content", "name"),
    [
        ("报价.pdf", PDF, "报价.pdf"),
        ("报价.exe", PDF, "报价.exe.pdf"),
        ("C:\\folder\\合同.PDF", PDF, "合同.PDF"),
        ("../../etc/passwd", PDF, "passwd.pdf"),
        ("a\r\nSet-Cookie: x.pdf", PDF, "aSet-Cookie: x.pdf"),
        ("", PDF, "File.pdf"),
        ("长" * 300 + ".pdf", PDF, "长" * 196 + ".pdf"),
        ("纪要.txt", "会议纪要\n".encode("gb18030"), "纪要.txt"),
        ("list.csv", b"a,b\n1,2\n", "list.csv"),
        ("合同.docx", archive("word/document.xml"), "合同.docx"),
        ("表.xlsx", archive("xl/workbook.xml"), "表.xlsx"),
        (
            "合同.docx",
            archive("word/document.xml", **typed(f"{OFFICE}.wordprocessingml.document.main+xml")),
            "合同.docx",
        ),
        ("旧合同.doc", old_word("WordDocument", "1Table"), "旧合同.doc"),
        ("资料.zip", archive("一.txt"), "资料.zip"),
    ],
)
def test_a_file_is_taken_under_the_ending_of_its_kind(in_english, said, content, name):
    taken = accepted(said, content)
    assert (taken.name, taken.content) == (name, content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\x00" + bytes(200),
        b"\x7fELF" + bytes(200),
        b"#!/bin/sh\nrm -rf /\n",
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"\xef\xbb\xbf  <svg onload=alert(1)>",
        b"hello <script>alert(1)</script>",
        b"\x00\x01\x02\x03 no known kind",
        b"PK\x03\x04 cut off",
        archive("word/document.xml", "word/vbaProject.bin"),
        archive("xl/workbook.xml", "xl/macrosheets/sheet1.xml"),
        archive("word/document.xml", **typed("application/vnd.ms-word.document.macroEnabled.main+xml")),
        archive(
            "word/document.xml", **typed("application/vnd.ms-word.template.macro&#69;nabledTemplate.main+xml")
        ),
        archive("xl/workbook.xml", "xl/data.bin", **typed("application/vnd.ms-office.vbaProject")),
        archive("xl/workbook.xml", **typed("application/vnd.ms-excel.sheet.macroEnabled.main+xml", "utf-16")),
        old_word("Macros", "VBA", "ThisDocument"),
        old_word("VBA"),
        old_word("_VBA_PROJECT_CUR"),
        old_word("Workbook", more=b"\x85\x00\x0e\x00\x10\x02\x00\x00\x00\x01\x06\x00Macro1"),
        old_word(
            "Documents", more=bytes.fromhex("1f00ff0314000000020000040c000000") + b"\5\0\0\0\1\0\0\0\2\0\0\0"
        ),
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b"\xff\xd8\xff\xe0" + bytes(50),
    ],
)
def test_what_could_run_or_is_no_file_is_refused(content):
    with pytest.raises(Invalid) as refused:
        accepted("报价.pdf", content)
    assert list(refused.value.problems) == ["file"]


def test_nothing_larger_than_the_limit_is_taken(settings):
    settings.LARGEST_ATTACHMENT = len(PDF)
    assert accepted("a.pdf", PDF)
    with pytest.raises(Invalid):
        accepted("a.pdf", PDF + b" ")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_an_image_keeps_its_pixels_and_loses_all_else(form):
    exif = Image.Exif()
    exif[0x010E] = PHONE.decode()
    options = {} if form == "GIF" else {"exif": exif}
    sent = image(form, **options) + b"PK\x03\x04" + PHONE
    assert PHONE in sent
    taken = accepted("photo.jpg", sent)
    assert PHONE not in taken.content
    assert kind(taken.content) == f"image/{form.lower()}"
    with Image.open(io.BytesIO(taken.content)) as drawn:
        assert drawn.size == (8, 6)
        red, green, _blue = drawn.convert("RGB").getpixel((4, 3))
        assert red > 180
        assert green < 60


def test_a_small_file_with_a_huge_picture_is_refused():
    sink = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(sink, "PNG")
    with pytest.raises(Invalid):
        accepted("bomb.png", sink.getvalue())


def test_a_moving_picture_goes_on_moving():
    frames = [Image.new("RGB", (8, 6), (shade, 0, 0)) for shade in (0, 120, 250)]
    sink = io.BytesIO()
    frames[0].save(sink, "GIF", save_all=True, append_images=frames[1:], duration=100)
    with Image.open(io.BytesIO(accepted("a.gif", sink.getvalue()).content)) as drawn:
        assert drawn.n_frames == 3
