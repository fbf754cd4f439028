"""The real sales data, where it lies beside the project: everybody counts exactly what the files say."""

import pytest

from tools import check_sales_pipeline

DATA = check_sales_pipeline.ROOT.parent / "shared" / "data" / "sales-pipeline"


@pytest.mark.skipif(
    not (DATA / "sales_pipeline.csv").exists(),
    reason="the sales pipeline data is not part of the project, and ../shared/data/sales-pipeline is absent",
)
@pytest.mark.parametrize("variant", check_sales_pipeline.VARIANTS)
def test_everybody_counts_what_the_files_say(committed, variant: str):
    lines = list(check_sales_pipeline.compare(DATA, variant))
    assert len(lines) > 50
    assert [line for line in lines if line.expected != line.found] == []
