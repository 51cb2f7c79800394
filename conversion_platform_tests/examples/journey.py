"""A grocer of four households and three campaigns, in the shape of the package's tables."""

from __future__ import annotations

from pathlib import Path

import duckdb

TABLES = {
    "campaign_descriptions": """SELECT * FROM (VALUES
        (1, 'Type A', TIMESTAMP '2017-03-01', TIMESTAMP '2017-04-10'),
        (2, 'Type B', TIMESTAMP '2017-05-01', TIMESTAMP '2017-06-01'),
        (3, 'Type C', TIMESTAMP '2017-06-10', TIMESTAMP '2018-02-01')
        ) t(campaign_id, campaign_type, start_date, end_date)""",
    "campaigns": """SELECT * FROM (VALUES
        (1, 10), (1, 20), (1, 30), (2, 10), (2, 20), (3, 10), (3, 30)
        ) t(campaign_id, household_id)""",
    "coupon_redemptions": """SELECT * FROM (VALUES
        (10, 501, 1, TIMESTAMP '2017-03-05'), (10, 502, 1, TIMESTAMP '2017-03-05'),
        (20, 601, 2, TIMESTAMP '2017-05-01'), (10, 701, 3, TIMESTAMP '2017-06-11')
        ) t(household_id, coupon_upc, campaign_id, redemption_date)""",
    "coupons": """SELECT * FROM (VALUES
        (501, 11, 1), (501, 12, 1), (502, 12, 1), (601, 11, 2)
        ) t(coupon_upc, product_id, campaign_id)""",
    "demographics": """SELECT * FROM (VALUES
        (10, '65+', '35-49K', 'Homeowner', 'Married', '2', '2 Adults No Kids', '0'),
        (20, '25-34', NULL, NULL, 'Unmarried', '1', '1 Adult No Kids', '0')
        ) t(household_id, age, income, home_ownership, marital_status, household_size,
            household_comp, kids_count)""",
    "products": """SELECT * FROM (VALUES
        (11, 'GROCERY'), (12, 'PRODUCE'), (13, 'FUEL')) t(product_id, department)""",
    # Late in the evening of 19 February in New York; a product that nobody lists; no mailing ever.
    "transactions": """SELECT * FROM (VALUES
        (10, 9001, 11, 1.5, TIMESTAMP '2017-02-20 03:30:00'),
        (10, 9001, 11, 0.0, TIMESTAMP '2017-02-20 03:30:00'),
        (10, 9001, 12, 0.0, TIMESTAMP '2017-02-20 03:30:00'),
        (10, 9004, 11, 0.0, TIMESTAMP '2017-03-01 15:00:00'),
        (20, 9002, 99, 0.0, TIMESTAMP '2017-05-01 12:00:00'),
        (40, 9003, 11, 0.5, TIMESTAMP '2017-01-01 12:00:00')
        ) t(household_id, basket_id, product_id, coupon_disc, transaction_timestamp)""",
}


def write_tables(folder: Path, tables: dict[str, str] | None = None) -> Path:
    """Writes the tables as Parquet files; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        for name, query in (tables or TABLES).items():
            con.execute(f"COPY ({query}) TO '{folder / name}.parquet' (FORMAT parquet)")
    return folder


def slice_of(package: Path, folder: Path, campaigns: str, households: str) -> Path:
    """Writes the rows of some campaigns and households of the real tables."""
    whole = {name: f"read_parquet('{package / name}.parquet')" for name in TABLES}
    mine, theirs = f"campaign_id IN {campaigns}", f"household_id IN {households}"
    return write_tables(
        folder,
        {
            "campaign_descriptions": f"FROM {whole['campaign_descriptions']} WHERE {mine}",
            "campaigns": f"FROM {whole['campaigns']} WHERE {mine} AND {theirs}",
            "coupon_redemptions": f"FROM {whole['coupon_redemptions']} WHERE {mine} AND {theirs}",
            "coupons": f"FROM {whole['coupons']} WHERE {mine}",
            "demographics": f"FROM {whole['demographics']} WHERE {theirs}",
            "products": f"FROM {whole['products']}",
            "transactions": f"FROM {whole['transactions']} WHERE {theirs}",
        },
    )
