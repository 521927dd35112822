"""Read a YAML file as plain lists, tables and text: nothing is built, nothing is guessed.

The nodes come from PyYAML's safe loader (libyaml), but scalars stay the text that stands in the
file: a category called `no` or `1e3` is that, not false and not a thousand.
"""

from pathlib import Path
from typing import Any, TypeAlias

import yaml

from maskstudio.errors import UserError
from maskstudio.formats.quoting import quoted

MAX_BYTES = 1 << 20
"""The largest tables of categories that are about (LVIS, Objects365) take 40 kB."""

_MAX_DEPTH = 20
_CORE = "tag:yaml.org,2002:"
_PLAIN_TYPES = ("str", "int", "float", "bool", "null", "seq", "map")
_PLAIN_TAGS = {None, "!", *(_CORE + kind for kind in _PLAIN_TYPES)}

Plain: TypeAlias = "str | list[Plain] | dict[str, Plain] | None"


def read_plain_yaml(path: Path) -> Plain:
    """Read a YAML file.

    Raises:
        UserError: it cannot be read, is larger than any list of categories, is not YAML, or uses
            what such a list never needs: references, tags of programming languages, deep nesting,
            a key twice.
    """
    text = _text(path)
    try:
        _check_events(path, text)
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {_problem(error)}; correct it there.") from error
    return None if node is None else _plain(path, node)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path} is larger than any list of categories; is it the right file?")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text in UTF-8; save it as that.") from error


def _check_events(path: Path, text: str) -> None:
    """Refuse, before anything is put together, what grows or builds something when it is."""
    depth = 0
    event: Any
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        where = f"{path}, line {event.start_mark.line + 1}"
        if isinstance(event, yaml.AliasEvent):
            raise UserError(f"{where}: a reference (*) to another place; write it out there.")
        tag = getattr(event, "tag", None)
        if tag not in _PLAIN_TAGS:
            raise UserError(
                f"{where}: the tag {quoted(tag)} would build an object; a list of categories "
                "needs only text and numbers."
            )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise UserError(f"{where}: lists are nested more than {_MAX_DEPTH} deep.")


def _problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    return f"{said} in line {mark.line + 1}" if mark else str(said)


def _plain(path: Path, node: Any) -> Plain:
    if isinstance(node, yaml.SequenceNode):
        return [_plain(path, item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return _table(path, node)
    return None if node.tag == f"{_CORE}null" else str(node.value)


def _table(path: Path, node: Any) -> dict[str, Plain]:
    table: dict[str, Plain] = {}
    for key, value in node.value:
        where = f"{path}, line {key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode):
            raise UserError(f"{where}: a key that is a list; keys are words and numbers.")
        if key.value in table:
            raise UserError(f"{where}: {quoted(key.value)} stands there twice; remove one of them.")
        table[key.value] = _plain(path, value)
    return table
