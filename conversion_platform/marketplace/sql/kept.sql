SELECT *, $finals
FROM steps.${source}_reasons
