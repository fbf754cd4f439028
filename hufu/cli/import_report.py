"""The report of an import, for people at a terminal. Everything is in it; long lists of rows are shortened."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from hufu.core.imports import ReadFile, Report

ROWS_SHOWN = 12
VALUES_SHOWN = 20


def lines(report: Report, *, dry_run: bool) -> Iterator[str]:
    """Yield the lines of the report."""
    for file in report.files:
        yield _("%(name)s: %(rows)s rows, %(written)s, SHA-256 %(digest)s") % {
            "name": file.name,
            "rows": f"{file.rows:,}",
            "written": _written(file),
            "digest": file.digest[:16],
        }
    yield ""
    yield from _refusals(report)
    stored = not dry_run and report.stored
    counts = (
        (_("created") if stored else _("would be created"), report.created),
        (_("updated") if stored else _("would be updated"), report.updated),
        (_("unchanged"), report.unchanged),
        (_("refused rows"), report.refused_rows),
        (_("rows that repeat another"), report.repeated),
    )
    for index, (title, number) in enumerate(counts):
        if number or index == 0:
            yield f"  {number:>9,}  {title}"
    yield from _noticed(report)
    yield ""
    if not report.stored:
        yield _("Nothing was imported. Correct the file or the map, then import again.")
    elif dry_run:
        yield _("This was a dry run: nothing was changed.")
    elif report.error_file:
        yield (
            _(
                "Done; the refused rows are not imported. They are in %s: correct them there and import that file with"
                " the same map."
            )
            % report.error_file
        )
    else:
        yield _("Done.")


def _refusals(report: Report) -> Iterator[str]:
    rows: dict[tuple[str, str, str, str], list[int]] = defaultdict(list)
    for problem in report.refused:
        rows[(problem.field, problem.column, problem.value, problem.reason)].append(problem.row)
    shown_of: Counter[str] = Counter()
    for (field, column, value, reason), numbers in rows.items():
        shown_of[field] += 1
        if shown_of[field] > VALUES_SHOWN:
            continue
        shown = _shown(numbers)
        what = f"{field} ({column}) = “{value}”" if column else f"{field} “{value}”"
        yield _("Refused, row %(rows)s: %(what)s: %(reason)s") % {
            "rows": shown,
            "what": what.strip(),
            "reason": reason,
        }
    for field, number in shown_of.items():
        if number > VALUES_SHOWN:
            yield _("Refused: %(count)s more values of “%(field)s” (--json lists all)") % {
                "count": f"{number - VALUES_SHOWN:,}",
                "field": field or "-",
            }
    if rows:
        yield ""
        for field, count in sorted(Counter(problem.field for problem in report.refused).items()):
            yield _("Refused for “%(field)s”: %(count)s values") % {
                "field": field or "-",
                "count": f"{count:,}",
            }
        yield ""


def _written(file: ReadFile) -> str:
    """Return how a file is written: its sheet, or its encoding, and its delimiter where it is no comma."""
    if file.sheet:
        return _("sheet “%s”") % file.sheet
    text = _("%s (found out)") % file.encoding if file.detected else file.encoding
    if file.delimiter == ",":
        return text
    name = _("tab") if file.delimiter == "\t" else f"“{file.delimiter}”"
    return _("%(encoding)s, delimiter %(delimiter)s") % {"encoding": text, "delimiter": name}


def _shown(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:ROWS_SHOWN])
    if len(numbers) > ROWS_SHOWN:
        shown += _(" and %s more (--json lists all)") % (len(numbers) - ROWS_SHOWN)
    return shown


def _notices(report: Report) -> Iterator[str]:
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for notice in report.notices:
        rows[(notice.field, notice.reason)].append(notice.row)
    if rows:
        yield ""
        yield _("To be looked at, %s values:") % f"{len(report.notices):,}"
    for (field, reason), numbers in rows.items():
        yield "  " + _("%(field)s, row %(rows)s: %(reason)s %(count)s×") % {
            "field": field,
            "rows": _shown(numbers),
            "reason": reason,
            "count": f"{len(numbers):,}",
        }


def _noticed(report: Report) -> Iterator[str]:
    yield from _notices(report)
    if report.translated:
        yield ""
        yield _("Translated:")
        for (where, old, new), count in sorted(report.translated.items()):
            said = new or _("(empty)")
            yield f"  {where}: {old} → {said}  {count:,}×"
    if report.left_empty:
        yield ""
        yield _("Left empty, because the file has nothing there:")
        for field, count in sorted(report.left_empty.items()):
            yield f"  {field}  {count:,}×"
    if report.emptied:
        yield ""
        yield _("Left empty, because the map says so for values that do not fit:")
        for (field, value, reason), count in sorted(report.emptied.items()):
            yield f"  {field} = “{value}”  {count:,}×  {reason}"
    for field, count in sorted(report.kept.items()):
        yield ""
        yield _(
            "The file says another “%(field)s” for %(count)s records that stand already; it stays as it is."
        ) % {
            "field": field,
            "count": count,
        }
    if report.skipped:
        yield ""
        yield _("Rows of which nothing is made:")
        for reason, count in sorted(report.skipped.items()):
            yield f"  {reason}  {count:,}×"
    if report.unused_columns or report.unused_translations:
        yield ""
        for name, columns in report.unused_columns.items():
            yield _("Columns of %(file)s that the map does not use: %(columns)s") % {
                "file": name,
                "columns": ", ".join(columns),
            }
        for where, text in report.unused_translations:
            yield _("Translation that no row needed: %(where)s: %(text)s") % {"where": where, "text": text}
