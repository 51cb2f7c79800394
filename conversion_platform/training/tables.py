"""The tables that training writes."""

from conversion_platform.lake import Column, Table

TRAINING_EXAMPLES = Table(
    name="training_examples",
    description="Matured impressions with their labels and the features of their day, as known "
    "on the day that the training ran for.",
    columns=(
        Column("user_id", "VARCHAR", "The user to whom the job was shown."),
        Column("job_id", "VARCHAR", "The job that was shown (or drawn as a negative)."),
        Column("day", "DATE", "Local day of the impression; the features are as of its start."),
        Column("shown_at", "TIMESTAMP WITH TIME ZONE", "Moment of the impression (UTC)."),
        Column("slate", "VARCHAR", "Rows that are ranked together."),
        Column("position", "INTEGER", "Slot in the slate, 0 = first; NULL if unknown."),
        Column("clicked", "BOOLEAN", "Whether a click followed inside the attribution window."),
        Column("converted", "BOOLEAN", "Whether a conversion followed inside the window."),
        Column("split", "VARCHAR", "'train', 'validation' or 'test'."),
    ),
    key=("user_id", "job_id", "shown_at", "slate"),
    open_ended=True,
)

TABLES = (TRAINING_EXAMPLES,)
