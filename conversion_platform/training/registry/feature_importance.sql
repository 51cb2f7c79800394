-- One row an input of a version. Reads the relation `documents`: the versions' importance.json.
WITH listed AS (
    SELECT version, unnest(features) AS one FROM documents
)
SELECT version, one.feature AS feature, one.mean_abs_shap AS mean_abs_shap, one.rank AS "rank"
FROM listed
