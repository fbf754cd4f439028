"""The tab of a record's files."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.company import Company
from tests.web.conftest import Visit

PAGE = b"<html><script>alert(document.cookie)</script>"


def test_lin_adds_a_file_that_chen_saves_and_nobody_is_shown_as_a_page(
    company: Company, visit: Visit
) -> None:
    page = f"/customers/{company.customer('qiming')}/files"
    lin, chen = visit("lin"), visit("chen")
    assert "No files yet." in lin.get(page).content.decode()
    sent = [SimpleUploadedFile("报价 一.txt", "十万".encode()), SimpleUploadedFile("b.txt", b"two")]
    shown = lin.post(f"{page}/add", {"file": sent}, follow=True).content.decode()
    assert "2 files added." in shown
    assert "报价 一.txt" in shown
    read = chen.get(page).content.decode()
    assert "报价 一.txt" in read
    assert "/files/remove" not in read
    assert "/files/add" not in read
    number = read.partition("报价 一.txt")[0].rpartition("?file=")[2].partition('"')[0]
    answer = chen.get(f"{page}/open?file={number}")
    assert answer.content.decode() == "十万"
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert answer["Content-Type"] == "text/plain"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]
    assert chen.get(f"{page}/open?file=999999").status_code == 404
    assert chen.get(f"{page}/open").status_code == 404
    assert "added a file" in lin.get(f"/customers/{company.customer('qiming')}/").content.decode()
    shown = lin.post(f"{page}/remove", {"file": number}, follow=True).content.decode()
    assert "File removed." in shown
    assert "报价 一.txt" not in shown.partition("<main")[2]


def test_one_bad_file_keeps_all_of_them_out_and_the_page_says_which(company: Company, visit: Visit) -> None:
    page = f"/customers/{company.customer('qiming')}/files"
    lin = visit("lin")
    sent = [SimpleUploadedFile("good.txt", b"good"), SimpleUploadedFile("bad.pdf", PAGE)]
    answer = lin.post(f"{page}/add", {"file": sent})
    assert answer.status_code == 400
    assert "bad.pdf: Files of this kind are not taken." in answer.content.decode()
    assert "good.txt" not in lin.get(page).content.decode()


def test_a_request_that_is_too_large_says_so(company: Company, visit: Visit, settings) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 100
    page = f"/customers/{company.customer('qiming')}/files"
    answer = visit("lin").post(f"{page}/add", {"file": SimpleUploadedFile("a.txt", b"a" * 1000)})
    assert answer.status_code == 400
    assert "No file arrived." in answer.content.decode()


def test_contacts_have_no_files(company: Company, visit: Visit) -> None:
    assert visit("lin").get(f"/contacts/{company.contact('gao')}/files").status_code == 404
