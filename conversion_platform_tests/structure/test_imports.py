"""What another package may import: the names that a package's `__init__` offers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import conversion_platform

ROOT = Path(conversion_platform.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
CODE_LOCATION = {"defs"}  # Dagster imports its modules by path


def package_of(module: str) -> str:
    """Return the package that a module belongs to; each application and example is a package."""
    parts = module.split(".")
    return ".".join(parts[: 3 if parts[1:2] in (["applications"], ["examples"]) else 2])


def module_of(file: Path) -> str:
    """Return a file's dotted name."""
    parts = file.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def offered(package: str) -> set[str]:
    """Return the names in a package's `__all__`."""
    tree = ast.parse((ROOT.parent / package.replace(".", "/") / "__init__.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def imports(file: Path) -> Iterator[ast.ImportFrom]:
    """Yield each `from conversion_platform...` import of a file."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(ROOT.name):
            yield node


def is_package(name: str) -> bool:
    return (ROOT.parent / name.replace(".", "/")).is_dir()


def foreign_names(file: Path) -> Iterator[str]:
    """Yield each name that a file imports from inside another package past its `__init__`."""
    own = package_of(module_of(file))
    for node in imports(file):
        assert node.module
        package = package_of(node.module)
        if package in (own, ROOT.name) or not is_package(package):
            continue
        if package.split(".")[1] in CODE_LOCATION:
            continue
        if node.module != package:
            yield f"line {node.lineno}: {node.module}"
            continue
        for name in node.names:
            if name.name not in offered(package) and not is_package(f"{package}.{name.name}"):
                yield f"line {node.lineno}: {package} does not offer {name.name}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_file_imports_from_another_package_only_what_its_init_offers(file: Path) -> None:
    assert list(foreign_names(file)) == []


def test_nothing_is_imported_by_string() -> None:
    text = {file: file.read_text() for file in FILES}
    assert [file for file, code in text.items() if "import_module(" in code] == []
    assert [file for file, code in text.items() if "__import__(" in code] == []
