SELECT *, $values
FROM steps.${source}_texts
