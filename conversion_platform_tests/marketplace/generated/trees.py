"""A source tree by its number: settings, folders, names, links and files."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from conversion_platform_tests.marketplace.generated import values
from conversion_platform_tests.marketplace.generated.csv_bytes import csv_bytes, style_of
from conversion_platform_tests.marketplace.generated.parquet_bytes import parquet_bytes
from conversion_platform_tests.marketplace.generated.rows import (
    FURTHER,
    Shape,
    arrow_type,
    rows_of,
    shape_of,
)
from conversion_platform_tests.marketplace.reference import How
from conversion_platform_tests.marketplace.reference.contract import REQUIRED

TABLES = ("users", "jobs", "events")
PROJECTS = ("project", "my project", "it's [1] #50% é")
ROOTS = ("in", "in put", "exports[2026]", "a#b%20c", "Zoë's {x}", "region=west")
NAMES = (
    *("users", "my users", "users[1]", "Zoë's #1 100%", 'say "hi"', "a;b", "users?", "all*", "$x"),
    *("part-0", "UPPER", "dt=2026-03-05", "back'tick`s"),
)
HIVE = (
    *("region=New%20York", "region=AC%2FDC", "region=__HIVE_DEFAULT_PARTITION__", "region=a b"),
    *("Shift Type=day", "tier=1", "region=Zo%C3%AB", "region=O'Hara", "Shift=day", "shift=late"),
)
NOISE = ("_SUCCESS", ".part.csv.crc", "_temporary/0/part-0.csv", ".tmp.csv", "_old/x.parquet")


@dataclass
class Tree:
    """A source tree.

    Attributes:
        number: Its number; the same tree everywhere.
        table: Which source it is.
        how: The settings of the source.
        zone: The platform's time zone.
        late_days: `events.late_days`.
        project: Name of the folder of the settings file.
        files: The bytes of each file, by path below that folder.
        links: Link -> what it points to, relative to the link's folder.
    """

    number: int
    table: str
    how: How
    zone: str
    late_days: int
    project: str
    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write the tree below a folder; return the folder of its settings file."""
        base = folder / self.project
        base.mkdir(parents=True)
        for name, data in self.files.items():
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            (base / name).write_bytes(data)
        for name, target in self.links.items():
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            (base / name).symlink_to(target)
        return base


def tree(number: int) -> Tree:
    """Return the tree of a number."""
    rng = random.Random(f"source tree {number}")
    table = TABLES[number % 3]
    is_csv = rng.random() < 0.6
    how = _how(rng, table, is_csv)
    zone = rng.choice(("UTC", "America/Chicago", "Australia/Lord_Howe"))
    built = Tree(number, table, how, zone, rng.choice((2, 2, 0)), rng.choice(PROJECTS))
    shape = shape_of(rng, table, how)
    if rng.random() < 0.2:
        _rename(rng, shape)
    if table != "events" and rng.random() < 0.3:
        how.attributes = tuple(name for name in shape.columns if name in FURTHER)
    extension = _extension(rng, is_csv, how)
    _LAYOUTS[rng.randrange(len(_LAYOUTS))](rng, built, extension)
    shape.in_days = any("dt=2026" in name for name in built.files)
    for name in list(built.files):
        built.files[name] = _bytes(rng, shape, is_csv, name.lower().endswith(".gz"))
    _add_noise(rng, built)
    if rng.random() < 0.02:
        built.files[rng.choice([name for name in built.files if built.files[name]])] = b""
    return built


def _how(rng: random.Random, table: str, is_csv: bool) -> How:
    """Return settings of a source."""
    how = How()
    if rng.random() < 0.3:
        how.null_values = rng.choice((("-", "unknown"), ("",), ("NA", " none "), ("x",)))
    if rng.random() < 0.25:
        how.decimal = ","
    if rng.random() < 0.15:
        how.thousands = rng.choice([one for one in (",", ".", "'", " ") if one != how.decimal])
    if rng.random() < 0.4:
        how.date_format = rng.choice(values.FORMATS)
    if rng.random() < 0.7:
        how.time_zone = rng.choice(values.ZONES)
    if table != "events":
        how.duplicates = rng.choice(("newest", "newest", "newest", "first", "first", "refuse"))
        how.folders = rng.choice(("exports", "changes"))
    if is_csv:
        how.encoding = rng.choice(("utf-8", "utf-8", "utf-8", "iso8859-1", "cp1252", "utf-16"))
        if rng.random() < 0.2:
            how.delimiter = rng.choice((",", ";", "|", "\t", "^"))
        if rng.random() < 0.15:
            how.header_row = rng.choice((2, 3, 5))
    return how


def _rename(rng: random.Random, shape: Shape) -> None:
    """Give a contract column another name, which the settings say."""
    column = rng.choice([name for name in shape.columns if name in REQUIRED[shape.table]])
    name = rng.choice(("Applicant.ID", "the id", "ID", "naïve «id»", "Who?"))
    shape.how.columns = {column: name}


def _extension(rng: random.Random, is_csv: bool, how: How) -> str:
    if rng.random() < 0.08:
        how.format = "csv" if is_csv else "parquet"
        return rng.choice((".data", ".bak", ".csv" if not is_csv else ".parquet", ""))
    if is_csv:
        return rng.choice((".csv", ".csv", ".csv.gz", ".tsv", ".txt", ".CSV", ".txt.gz"))
    return rng.choice((".parquet", ".parquet", ".pq", ".parq"))


def _single(rng: random.Random, built: Tree, extension: str) -> None:
    name = rng.choice(("", f"{rng.choice(ROOTS)}/")) + rng.choice(NAMES) + extension
    built.how.path = name
    if rng.random() < 0.15:
        built.links[name] = "real" + extension if "/" not in name else "../real" + extension
        name = "real" + extension
    built.files[name] = b""


def _folder(rng: random.Random, built: Tree, extension: str) -> None:
    root = rng.choice(ROOTS)
    built.how.path = root
    for place in range(rng.randint(1, 3)):
        below = rng.choice(("", "", "more/", "two/levels/", "b [1]/"))
        built.files[f"{root}/{below}part-{place}{extension}"] = b""
    if rng.random() < 0.3:
        built.files[f"elsewhere/linked{extension}"] = b""
        built.links[f"{root}/link"] = "../elsewhere"
    if rng.random() < 0.1:
        built.links[f"{root}/again"] = "."


def _hive(rng: random.Random, built: Tree, extension: str) -> None:
    root = rng.choice(ROOTS)
    key = rng.choice(HIVE).partition("=")[0]
    same = [one for one in HIVE if one.lower().startswith(f"{key.lower()}=")]
    for _ in range(rng.randint(1, 4)):
        day = f"dt=2026-03-{rng.randrange(1, 16):02d}/"
        forms = (day, day, f"{rng.choice(same)}/", f"{rng.choice(same)}/{day}", "dt=unknown/")
        built.files[f"{root}/{rng.choice(forms)}part-{rng.randrange(9)}{extension}"] = b""
    one = next(iter(built.files))
    built.how.path = rng.choice(
        (root, root, f"{root}/**/*", f"{root}/*/*{extension}", one.rpartition("/")[0], one)
    )
    if "[" in root and "*" in built.how.path and rng.random() < 0.9:
        built.how.path = root


def _glob(rng: random.Random, built: Tree, extension: str) -> None:
    root = rng.choice(("in", "in put", "a#b%20c"))
    for name in ("part-0", "part-1", "b/part-2", "b/c/part-3", "axe"):
        if rng.random() < 0.7:
            built.files[f"{root}/{name}{extension}"] = b""
    built.files[f"{root}/part-9{extension}"] = b""
    pattern = rng.choice(("*", "part-?", "[pa]*", "**/*", "**/part-*", "b/*", "*/*", "[!a]*", "**"))
    built.how.path = f"{root}/{pattern}" + (extension if pattern != "**" else "")
    if rng.random() < 0.2:
        built.how.path = [f"{root}/part-9{extension}", f"{root}/b/**"]


_LAYOUTS = (_single, _single, _folder, _folder, _hive, _hive, _glob)


def _add_noise(rng: random.Random, built: Tree) -> None:
    """Put hidden and temporary files into a folder of the source."""
    folder = next(iter(built.files)).rpartition("/")[0]
    if folder and rng.random() < 0.4:
        for name in rng.sample(NOISE, rng.randint(1, 2)):
            built.files[f"{folder}/{name}"] = b"not committed\n\xff"


def _bytes(rng: random.Random, shape: Shape, is_csv: bool, packed: bool) -> bytes:
    """Return the bytes of one file of a source: columns in another order, other names or types."""
    columns = list(shape.columns)
    if rng.random() < 0.15:
        rng.shuffle(columns)
    if rng.random() < 0.1 and len(columns) > 2:
        columns.remove(rng.choice(columns))
    names = [_written(rng, shape, column) for column in columns]
    types = dict(shape.types)
    if rng.random() < 0.1:
        changed = rng.choice(columns)
        types[changed] = arrow_type(rng, shape, changed)
    count = rng.choice((0, 1, 3, 6, 10))
    rows = rows_of(rng, shape, count, {} if is_csv else types)
    if not is_csv:
        table = [[row.get(column) for row in rows] for column in columns]
        return parquet_bytes(names, [types[column] for column in columns], table)
    style = style_of(rng, shape.how, packed)
    texts = [[row[column] for column in columns] for row in rows]
    return csv_bytes(rng, style, names, texts)


def _written(rng: random.Random, shape: Shape, column: str) -> str:
    """Return the name of a column as one file writes it."""
    name = shape.how.columns.get(column, column)
    if rng.random() < 0.9 or column in shape.how.columns:
        return name
    camel = "".join(part.capitalize() for part in name.split("_"))
    if rng.random() < 0.2:
        return name.replace("_", "\n")
    forms = (name.upper(), name.replace("_", " "), camel, f" {name} ", name.replace("_", "."))
    return rng.choice(forms)
