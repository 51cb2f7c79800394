-- One row a figure. Reads the relation `documents`: the records of evaluations, numbered by their
-- files' names.
WITH numbered AS (
    SELECT *, regexp_extract(filename, '(\d+)\.json$', 1)::INTEGER AS number FROM documents
),
figured AS (
    SELECT numbered.* EXCLUDE (figures, filename), one.key AS figure, one.value AS content,
        json_type(one.value) AS kind
    FROM numbered, json_each(numbered.figures) AS one
)
SELECT
    version,
    number,
    examples_day,
    examples,
    judged_on,
    figure,
    CASE WHEN kind = 'OBJECT' THEN (content ->> '$.value')::DOUBLE
        ELSE (content ->> '$')::DOUBLE END AS "value",
    (content ->> '$.low')::DOUBLE AS low,
    (content ->> '$.high')::DOUBLE AS high
FROM figured
WHERE kind NOT IN ('ARRAY', 'VARCHAR')
