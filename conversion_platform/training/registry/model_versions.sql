-- One row a card. Reads the relation `documents`: the cards.
SELECT
    version,
    day,
    rounds AS trees,
    len(columns)::BIGINT AS inputs,
    splits['train'].rows AS train_rows,
    splits['train'].positives AS train_conversions,
    list_min(list_transform(map_values(splits), lambda split: split.days[1])) AS first_day,
    list_max(list_transform(map_values(splits), lambda split: split.days[2])) AS last_day,
    fingerprint,
    settings
FROM documents
