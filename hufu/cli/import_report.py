"""The report of an import, for people at a terminal. Everything is in it; long lists of rows are shortened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django.utils.translation import gettext as _

from hufu.core.imports import Report

ROWS_SHOWN = 12


def lines(report: Report, *, dry_run: bool) -> Iterator[str]:
    """Yield the lines of the report."""
    for file in report.files:
        yield _("%(name)s: %(rows)s rows, SHA-256 %(digest)s") % {
            "name": file.name,
            "rows": f"{file.rows:,}",
            "digest": file.digest[:16],
        }
    yield ""
    yield from _refusals(report)
    stored = not dry_run and not report.refused
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
    if report.refused:
        yield _("Nothing was imported. Correct the file or the map, then import again.")
    elif dry_run:
        yield _("This was a dry run: nothing was changed.")
    else:
        yield _("Done.")


def _refusals(report: Report) -> Iterator[str]:
    rows: dict[tuple[str, str, str, str], list[int]] = defaultdict(list)
    for problem in report.refused:
        rows[(problem.field, problem.column, problem.value, problem.reason)].append(problem.row)
    for (field, column, value, reason), numbers in rows.items():
        shown = ", ".join(str(number) for number in numbers[:ROWS_SHOWN])
        if len(numbers) > ROWS_SHOWN:
            shown += _(" and %s more (--json lists all)") % (len(numbers) - ROWS_SHOWN)
        what = f"{field} ({column}) = “{value}”" if column else f"{field} “{value}”"
        yield _("Refused, row %(rows)s: %(what)s: %(reason)s") % {
            "rows": shown,
            "what": what.strip(),
            "reason": reason,
        }
    if rows:
        yield ""


def _noticed(report: Report) -> Iterator[str]:
    if report.translated:
        yield ""
        yield _("Translated:")
        for (where, old, new), count in sorted(report.translated.items()):
            yield f"  {where}: {old} → {new or _('(empty)')}  {count:,}×"
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
