"""Texts composed of columns."""

import pytest

from hufu.core.errors import Invalid
from hufu.core.imports.templates import read_template, slug


@pytest.mark.parametrize(
    ("template", "cells", "text"),
    [
        ("{product} · {account}", {"product": "GTX", "account": "Isdom"}, "GTX · Isdom"),
        ("{product}[ · {account}]", {"product": "GTX", "account": "Isdom"}, "GTX · Isdom"),
        ("{product}[ · {account}]", {"product": "GTX", "account": ""}, "GTX"),
        ("{客户名称|upper}", {"客户名称": "abc"}, "ABC"),
        ("{{{a}}} [[x]]", {"a": "1"}, "{1} [x]"),
        ("", {}, ""),
    ],
)
def test_a_template_is_filled_from_the_columns_of_a_row(template, cells, text):
    assert read_template(template).fill(cells) == text


@pytest.mark.parametrize("template", ["{a", "a}", "[a", "a]", "{}", "{a|nothing}", "[{a}[{b}]]"])
def test_a_template_that_is_wrong_is_refused(template):
    with pytest.raises(Invalid):
        read_template(template)


@pytest.mark.parametrize(
    ("name", "username"),
    [
        ("Moses Frase", "moses.frase"),
        ("Mei-Mei Johns", "mei-mei.johns"),
        ("José  Núñez", "jose.nunez"),
        ("张伟", "zhangwei"),
        ("O'Neill, Ann", "oneill.ann"),
    ],
)
def test_a_slug_is_fit_for_a_user_name(name, username):
    assert slug(name) == username
