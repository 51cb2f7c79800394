"""conversion-platform: from a marketplace's tables to the job of the day, every day.

The domain packages hold the logic and import no Dagster; `conversion_platform.defs` turns
them into software-defined assets. docs/architecture.md draws the whole.
"""

import os

# XGBoost's threads wait for one another by spinning. With another busy process on the machine
# (Dagster's pages, say) that made a fit six times slower on two cores. OpenMP reads this when
# XGBoost is first imported; a value that the user has set wins.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
