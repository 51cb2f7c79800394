SELECT *, $reasons
FROM steps.${source}_values
