SELECT $columns
FROM steps.${source}_$accepted
WHERE NOT $held_back
