"""Maps are read strictly: what is wrong is named, with its place and what would be right."""

import pytest

from hufu.cli.commands import import_
from hufu.core.errors import Invalid, Unavailable
from hufu.core.imports import Plan

CUSTOMERS = """
format: 1
import: customers
files: {{main: main.csv, other: other.csv}}
rows: main
records:
  - {record}
"""
FIELDS = "fields: {external_id: {column: no}, name: {column: name}, stage: new, owner: lin, partition: sh"


def problems(map_file, text, type_name="customers"):
    with pytest.raises(Invalid) as refused:
        import_._read_map(type_name, map_file(text))
    return {place: " ".join(messages) for place, messages in refused.value.problems.items()}


@pytest.mark.parametrize(
    ("record", "place", "said"),
    [
        ("{" + FIELDS + "}, colour: red}", "records[1]", "“colour”"),
        ("{" + FIELDS + ", colour: red}}", "records[1].fields", "“colour”"),
        ("{" + FIELDS + ", note: {colum: x}}}", "records[1].fields.note", "“colum”"),
        ("{" + FIELDS + ", note: {column: x, constant: y}}}", "records[1].fields.note", "exactly one"),
        ("{" + FIELDS + ", note: {column: x, unknown: drop}}}", "records[1].fields.note.unknown", "empty"),
        (
            "{" + FIELDS.replace("owner: lin", "owner: {column: x, unknown: empty}") + "}}",
            "records[1].fields.owner.unknown",
            "must not be empty",
        ),
        ("{" + FIELDS + ", note: {rule: guess}}}", "records[1].fields.note.rule", "partition"),
        ("{" + FIELDS + ", note: {template: '{a'}}}", "records[1].fields.note.template", "{"),
        ("{" + FIELDS + ", note: {column: x, by: name}}}", "records[1].fields.note", "by"),
        (
            "{" + FIELDS + ", employees: {column: x, scale: much}}}",
            "records[1].fields.employees.scale",
            "much",
        ),
        ("{" + FIELDS + "}, identity: phone}", "records[1].identity", "external_id"),
        ("{fields: {external_id: {column: no}, stage: new, owner: lin}}", "records[1].fields", "“name”"),
        (
            "{" + FIELDS + ", note: {lookup: {file: third, column: a, where: {a: b}}}}}",
            "records[1].fields.note.lookup",
            "main, other",
        ),
    ],
)
def test_a_mistake_in_a_map_is_named_with_its_place(map_file, record, place, said):
    found = problems(map_file, CUSTOMERS.format(record=record))
    assert place in found
    assert said in found[place]


def test_all_mistakes_are_named_at_once(map_file):
    text = CUSTOMERS.format(record="{" + FIELDS + ", note: {colum: x}, region: {rule: guess}}}")
    assert len(problems(map_file, text)) == 2


def test_a_key_that_stands_twice_is_refused(map_file):
    assert "stands here twice" in str(problems(map_file, "format: 1\nformat: 1\n"))


def test_a_map_for_something_else_is_refused(map_file):
    text = CUSTOMERS.format(record="{" + FIELDS + "}}").replace("import: customers", "import: users")
    assert "import" in problems(map_file, text)


def test_a_map_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Unavailable, match="nowhere"):
        import_._read_map("customers", tmp_path / "nowhere.yaml")


def test_constants_are_texts_and_mean_what_they_look_like(map_file):
    text = CUSTOMERS.format(record="{" + FIELDS + ", region: no, note: 007}}")
    fields = import_._read_map("customers", map_file(text)).records[0].fields
    assert fields["region"].constant == "no"
    assert fields["note"].constant == "007"


def test_a_column_that_the_file_lacks_is_named_with_those_it_has(map_file, sheet):
    text = CUSTOMERS.format(record="{" + FIELDS + ", note: {column: remarks}}}")
    files = [str(sheet("main.csv", ["no", "name"])), str(sheet("other.csv", ["a"]))]
    with pytest.raises(Invalid) as refused:
        Plan(import_._read_map("customers", map_file(text)), files)
    assert "no, name" in refused.value.problems["records[1].fields.note"][0]


def test_files_are_told_apart_by_their_names(map_file, sheet):
    read = import_._read_map("customers", map_file(CUSTOMERS.format(record="{" + FIELDS + "}}")))
    main, other = sheet("main.csv", ["no", "name"]), sheet("renamed.csv", ["a"])
    with pytest.raises(Invalid, match=r"renamed\.csv|other"):
        Plan(read, [str(main), str(other)])
    with pytest.raises(Invalid, match=r"other\.csv was not given"):
        Plan(read, [str(main)])
    Plan(read, [str(main), f"other={other}"]).close()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"no,no\n", "“no”"),
        (b"no,,name\n", "Column 2"),
        ("no,name\n1,Müller\n".encode("latin-1"), "neither UTF-8 nor GB18030"),
        ("no,name\n1,株式会社ドリーム\n".encode("shift-jis"), "neither UTF-8 nor GB18030"),
        ("no,name\n1,臺灣積體電路\n".encode("big5"), "neither UTF-8 nor GB18030"),
        ("no,name\n1,上海\n".encode("utf-16-le"), "neither UTF-8 nor GB18030"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_what_to_do(map_file, tmp_path, content, said):
    text = CUSTOMERS.format(record="{" + FIELDS + "}}").replace(", other: other.csv", "")
    path = tmp_path / "main.csv"
    path.write_bytes(content)
    read = import_._read_map("customers", map_file(text))
    with pytest.raises(Invalid, match=said):
        list(Plan(read, [str(path)]).drafts())


def test_excels_byte_order_mark_is_no_part_of_the_first_column(map_file, tmp_path):
    text = CUSTOMERS.format(record="{" + FIELDS + "}}").replace(", other: other.csv", "")
    path = tmp_path / "main.csv"
    path.write_bytes("\ufeffno,name\r\n1,启明\r\n".encode())
    drafts = list(Plan(import_._read_map("customers", map_file(text)), [str(path)]).drafts())
    assert [draft.texts["external_id"] for draft in drafts] == ["1"]
