"""The registry as tables for SQL: views over its JSON documents, read when they are queried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conversion_platform.lake import Column, file_sql, sql_file
from conversion_platform.training.registry.documents import ROOT
from conversion_platform.training.registry.evaluations import EVALUATIONS
from conversion_platform.training.registry.versions import CARD

if TYPE_CHECKING:
    from conversion_platform.lake import Lake

IMPORTANCE = "importance.json"
VERSION = Column("version", "VARCHAR", "The model's version.")


@dataclass(frozen=True)
class RegistryView:
    """One view: its SQL is in `<name>.sql`, over the relation `documents`.

    Attributes:
        name: Of the view.
        description: One sentence.
        columns: What it shows.
        fields: The parts of a document that it reads, as DuckDB's `read_json` names them.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    fields: dict[str, str]

    def select(self, lake: Lake) -> str:
        """Return SQL over the documents that are there now; no row without any."""
        keys = [key for key in lake.storage.list(ROOT) if self._reads(key)]
        if not keys:
            empty = ", ".join(f'CAST(NULL AS {one.type}) AS "{one.name}"' for one in self.columns)
            return f"SELECT {empty} WHERE false"
        files = ", ".join(file_sql(lake.location(key)) for key in keys)
        fields = ", ".join(f"{name}: '{kind}'" for name, kind in self.fields.items())
        documents = f"read_json([{files}], columns = {{{fields}}}, filename = true)"
        query = sql_file(__package__, self.name)
        return f"WITH documents AS (FROM {documents})\nFROM (\n{query})"

    def _reads(self, key: str) -> bool:
        if self.name == "model_evaluations":
            return key.startswith(f"{EVALUATIONS}/")
        name = CARD if self.name == "model_versions" else IMPORTANCE
        return key.endswith(f"/{name}") and key.count("/") == 2


VIEWS = (
    RegistryView(
        "model_versions",
        "Every model version: when it was trained, on how much, with which settings.",
        (
            VERSION,
            Column("day", "DATE", "The day that its training ran for."),
            Column("trees", "BIGINT", "Number of trees."),
            Column("inputs", "BIGINT", "Number of inputs: the features, and the position."),
            Column("train_rows", "BIGINT", "Examples that it was fitted on."),
            Column("train_conversions", "BIGINT", "Conversions among them."),
            Column("first_day", "DATE", "First day of its examples."),
            Column("last_day", "DATE", "Last day of its examples."),
            Column("fingerprint", "VARCHAR", "SHA-256 of the numbers that it was fitted on."),
            Column("settings", "JSON", "The settings that its training used."),
        ),
        {
            "version": "VARCHAR",
            "day": "DATE",
            "rounds": "BIGINT",
            "columns": "VARCHAR[]",
            "splits": "MAP(VARCHAR, STRUCT(days DATE[], rows BIGINT, positives BIGINT))",
            "fingerprint": "VARCHAR",
            "settings": "JSON",
        },
    ),
    RegistryView(
        "model_evaluations",
        "Every figure of every evaluation of a version; the newest evaluation has the highest "
        "number.",
        (
            VERSION,
            Column("number", "INTEGER", "1 for the version's first evaluation, and so on."),
            Column("examples_day", "DATE", "Day of the training whose test examples judged it."),
            Column("examples", "VARCHAR", "Digest of these examples: equal where rows are equal."),
            Column("judged_on", "DATE", "The day on which it was judged."),
            Column("figure", "VARCHAR", "Name of the figure, such as map_model."),
            Column("value", "DOUBLE", "Its value; NULL where it is not measurable."),
            Column("low", "DOUBLE", "Lower end of its 95 % interval; NULL without one."),
            Column("high", "DOUBLE", "Upper end of its 95 % interval; NULL without one."),
        ),
        {
            "version": "VARCHAR",
            "examples_day": "DATE",
            "examples": "VARCHAR",
            "judged_on": "DATE",
            "figures": "JSON",
        },
    ),
    RegistryView(
        "feature_importance",
        "How much each input moves the scores of a version, on a sample of its test examples.",
        (
            VERSION,
            Column("feature", "VARCHAR", "The input."),
            Column("mean_abs_shap", "DOUBLE", "Mean absolute SHAP value, in log-odds."),
            Column("rank", "INTEGER", "1 for the input with the largest value."),
        ),
        {
            "version": "VARCHAR",
            "features": "STRUCT(feature VARCHAR, mean_abs_shap DOUBLE, rank INTEGER)[]",
        },
    ),
)
