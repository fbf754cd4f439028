"""Reading and writing YAML files: only plain values, no key twice, and errors that name the line."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml
from django.utils.translation import gettext as _

from hufu.core.errors import Invalid

WIDTH = 110


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping: the first one would be lost in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _value in node.value:
            name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else None
            if name is not None and name in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, _("“%s” stands twice in the same mapping") % key.value, key.start_mark
                )
            seen.add(name)
        return super().construct_mapping(node, deep)


def read(path: Path) -> Mapping[str, Any]:
    """Return the mapping that a file holds; raise Invalid, with what is wrong and where, otherwise.

    Django is set up.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        said = _("%(file)s cannot be read: %(reason)s.") % {"file": path, "reason": error.strerror}
        raise Invalid({"": [said]}) from error
    except UnicodeDecodeError as error:
        said = _("%(file)s is not UTF-8 text (byte %(byte)s). Save it as UTF-8.")
        raise Invalid({"": [said % {"file": path, "byte": error.start}]}) from error
    try:
        document = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = ""
        if mark:
            place = _("line %(line)s, column %(column)s") % {"line": mark.line + 1, "column": mark.column + 1}
        raise Invalid({place: [f"{error.problem or error}."]}) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = _("%(file)s is not YAML: %(reason)s.") % {"file": path, "reason": error}
        raise Invalid({"": [said]}) from error
    if not isinstance(document, Mapping):
        said = _("%s holds no settings; it must begin with names such as `format: 1`.") % path
        raise Invalid({"": [said]})
    return document


def text(document: Mapping[str, Any]) -> str:
    """Return a document as YAML, its keys in their order."""
    return yaml.safe_dump(dict(document), allow_unicode=True, sort_keys=False, width=WIDTH)
