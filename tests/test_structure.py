"""Bounds on the shape of the code, so that no room grows into a house."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "maskstudio").rglob("*.py"))
FILES = MODULES + [
    p for name in ("tests", "packaging") for p in sorted((ROOT / name).rglob("*.py"))
]
MOST_LINES, MOST_METHODS = 400, 20


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_is_longer_than_four_hundred_lines(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES


def public_methods(node: ast.ClassDef) -> list[str]:
    """Methods that may be called; a property is an attribute to whoever uses it."""
    return [
        method.name
        for method in node.body
        if isinstance(method, ast.FunctionDef)
        and not method.name.startswith("_")
        and not any(ast.unparse(d).endswith(("property", ".setter")) for d in method.decorator_list)
    ]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_class_has_more_than_twenty_public_methods(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            public = public_methods(node)
            assert len(public) <= MOST_METHODS, f"{node.name}: {', '.join(public)}"
