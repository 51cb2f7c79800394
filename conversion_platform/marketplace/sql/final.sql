SELECT $columns
FROM steps.${source}_$accepted
