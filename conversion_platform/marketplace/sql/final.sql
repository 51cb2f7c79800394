SELECT $columns
FROM steps.${source}_$accepted$units
WHERE NOT $held_back
