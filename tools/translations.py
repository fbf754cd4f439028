"""Keep the Chinese of the interface complete; no gettext of the system is needed.

python tools/translations.py extract    bring the .po file up to what stands in the source
python tools/translations.py compile    write the .mo file that the program reads
python tools/translations.py check      fail where a text of the source has no finished translation
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polib
from babel.messages.extract import extract_python
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "hufu"
CATALOGUE = SOURCE / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
KEYWORDS = (
    *("_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"),
    *("pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"),
)
PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[sd]|\{(\w*)\}")

Key = tuple[str, str]


@dataclass
class Message:
    """A text of the source, and where it stands."""

    context: str
    text: str
    plural: str = ""
    places: list[str] = field(default_factory=list)

    @property
    def key(self) -> Key:
        return self.context, self.text


def main(arguments: list[str]) -> int:
    """Do what is asked; return 1 when the check finds something."""
    actions = {"extract": extract, "compile": compile_catalogue, "check": check}
    if len(arguments) != 1 or arguments[0] not in actions:
        print(__doc__, file=sys.stderr)
        return 2
    return actions[arguments[0]]()


def extract() -> int:
    """Write new texts into the catalogue, untranslated, and take out those that nobody says any more."""
    catalogue = polib.pofile(str(CATALOGUE)) if CATALOGUE.exists() else new_catalogue()
    known = {(entry.msgctxt or "", entry.msgid): entry for entry in catalogue}
    catalogue.clear()
    for message in sorted(messages(), key=lambda message: (message.places[0], message.key)):
        entry = known.get(message.key) or polib.POEntry(msgid=message.text, msgctxt=message.context or None)
        if message.plural and not entry.msgid_plural:
            entry.msgid_plural, entry.msgstr_plural = message.plural, {0: entry.msgstr}
            entry.msgstr = ""
        entry.occurrences = [(place, "") for place in message.places]
        entry.flags = [flag for flag in entry.flags if flag == "fuzzy"]
        catalogue.append(entry)
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(CATALOGUE))
    missing = len(catalogue.untranslated_entries())
    print(f"{len(catalogue)} texts, {missing} without a translation: {CATALOGUE.relative_to(ROOT)}")
    return 0


def compile_catalogue() -> int:
    """Write the .mo file."""
    polib.pofile(str(CATALOGUE)).save_as_mofile(str(CATALOGUE.with_suffix(".mo")))
    return 0


def check() -> int:
    """Say which texts are not translated, or lost a placeholder in translation."""
    catalogue = {(entry.msgctxt or "", entry.msgid): entry for entry in polib.pofile(str(CATALOGUE))}
    said = {message.key: message for message in messages()}
    problems = [
        f"{message.places[0]}: {problem}: {message.text!r}"
        for key, message in said.items()
        if (problem := problem_of(message, catalogue.get(key)))
    ]
    problems += [f"{place}: said within an f-string, where nobody finds it" for place in hidden()]
    problems += [f"nobody says this any more: {text!r}" for _context, text in catalogue.keys() - said.keys()]
    for problem in sorted(problems):
        print(problem)
    if problems:
        print(
            f"{len(problems)} to do. `python tools/translations.py extract` brings the catalogue up to date."
        )
    return 1 if problems else 0


def problem_of(message: Message, entry: polib.POEntry | None) -> str:
    """Return what is wrong with the translation of a text, or nothing."""
    if entry is None:
        return "not in the catalogue"
    if entry.fuzzy:
        return "fuzzy"
    translations = list(entry.msgstr_plural.values()) if message.plural else [entry.msgstr]
    if not translations or not all(translations):
        return "not translated"
    wanted = placeholders(message.plural or message.text)
    if any(placeholders(translation) != wanted for translation in translations):
        return "the placeholders differ"
    return ""


def hidden() -> Iterator[str]:
    """Yield the places of texts that stand within f-strings: extraction does not look there."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.JoinedStr):
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Call) and getattr(inner.func, "id", "") in KEYWORDS:
                        yield f"{path.relative_to(ROOT).as_posix()}:{inner.lineno}"


def placeholders(text: str) -> list[str]:
    """Return the placeholders in a text, in no order."""
    return sorted(found.group(0) for found in PLACEHOLDER.finditer(text.replace("%%", "")))


def messages() -> list[Message]:
    """Return every text of the source once, with all its places."""
    found: dict[Key, Message] = {}
    for path in sorted(SOURCE.rglob("*")):
        place = path.relative_to(ROOT).as_posix()
        if path.suffix == ".py" and "/migrations/" not in place:
            stated = from_python(path.read_bytes())
        elif "/templates/" in place and path.is_file():
            text = templatize(path.read_text(encoding="utf-8"), origin=place)
            stated = from_python(text.encode())
        else:
            continue
        for context, text, plural in stated:
            message = found.setdefault((context, text), Message(context, text))
            message.plural = message.plural or plural
            if place not in message.places:
                message.places.append(place)
    return list(found.values())


def from_python(source: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield (context, text, plural) of every call of gettext in Python source."""
    keywords: dict[str, Any] = dict.fromkeys(KEYWORDS)
    found: Iterable[Any] = extract_python(io.BytesIO(source), keywords, [], {"encoding": "utf-8"})
    for _line, function, arguments, _comments in found:
        if arguments is None:
            # A variable: its text was stated where it was written (gettext_noop).
            continue
        texts = [arguments] if isinstance(arguments, str) else list(arguments)
        context = texts.pop(0) if "pgettext" in function else ""
        plural = texts[1] if "ngettext" in function or "npgettext" in function else ""
        if texts and isinstance(texts[0], str):
            yield context, texts[0], plural


def new_catalogue() -> polib.POFile:
    """Return an empty catalogue for simplified Chinese."""
    catalogue = polib.POFile(wrapwidth=110)
    catalogue.metadata = {
        "Project-Id-Version": "hufu-crm",
        "Language": "zh_Hans",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=1; plural=0;",
    }
    return catalogue


if __name__ == "__main__":
    settings.configure(USE_I18N=True)
    sys.exit(main(sys.argv[1:]))
