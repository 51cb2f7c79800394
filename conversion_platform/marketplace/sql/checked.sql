SELECT *, coalesce($problems) AS _cp_problem
FROM steps.${source}_kept
