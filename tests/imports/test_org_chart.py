"""A real organisation of 3,112 people, where its data lies beside the project, in shuffled order."""

from pathlib import Path

import pytest

from tools import check_org_chart

DATA = check_org_chart.ROOT.parent / "shared" / "data" / "org-chart" / check_org_chart.FILE


@pytest.mark.skipif(
    not DATA.exists(),
    reason="the org-chart data is not part of the project, and ../shared/data/org-chart is absent",
)
def test_everybody_has_the_people_below_that_the_file_says_and_what_is_planted_is_refused(
    committed, tmp_path: Path, capsys
):
    right = check_org_chart.is_as_it_must_be(DATA, 1, tmp_path)
    said = capsys.readouterr().out
    assert right, said
    assert "3,112 people" in said
    assert " 0 people differ" in said
