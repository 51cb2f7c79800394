(
        SELECT named FROM (SELECT steps.${what}_of(steps.parts($cell)) AS named
            FROM steps.${source}_texts WHERE NOT steps.is_plain($cell))
        WHERE named IS NOT NULL GROUP BY named ORDER BY count(*) DESC, named LIMIT 1
    )
