SELECT *, $texts
FROM steps.${source}_read
