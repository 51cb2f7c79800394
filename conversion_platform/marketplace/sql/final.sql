SELECT $columns
FROM steps.${source}_$accepted
WHERE NOT ($later OR $gone)
