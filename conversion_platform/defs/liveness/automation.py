"""The look at the leases, every half minute.

What belongs here: the sensor and what it remembers. What does not: what it finds and does.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Self

import dagster as dg

from conversion_platform.defs.automation import DAILY, HISTORY, SOURCES
from conversion_platform.defs.liveness.dead_runs import end_dead_runs, home_of
from conversion_platform.defs.liveness.going_on import next_request
from conversion_platform.defs.messaging.automation import SEND_TEXTS
from conversion_platform.defs.training.automation import TRAIN
from conversion_platform.liveness import (
    LOOK_SECONDS,
    Looks,
    own_place,
    pending_in,
    process_of,
    remove_lease,
)

MOST_AGAIN = 3


@dataclass
class Memory:
    """What a look hands on to the next one.

    Attributes:
        looks: Who was seen, and how.
        daemon: The process that starts runs: where it is a new one, somebody started it again.
        again: How often each run that died was asked for again under this daemon.
    """

    looks: Looks
    daemon: str
    again: dict[str, int]

    @classmethod
    def of(cls, cursor: str | None) -> Self:
        """Return the memory for the look that follows the one that wrote `cursor`."""
        known = json.loads(cursor or "{}")
        daemon = str(process_of(os.getppid()))
        again = known.get("again", {}) if known.get("daemon") == daemon else {}
        return cls(Looks.decoded(known.get("looks")), daemon, again)

    def cursor(self) -> str:
        """Return the memory as the sensor's cursor."""
        return json.dumps(
            {"looks": self.looks.encoded(), "daemon": self.daemon, "again": self.again}
        )

    def may_go_on(self, name: str) -> bool:
        """Return whether what died is asked for again, and count it.

        A run may die by its own doing, for want of memory say, as often as it is tried.
        """
        self.again[name] = self.again.get(name, 0) + 1
        return self.again[name] <= MOST_AGAIN


@dg.definitions
def liveness() -> dg.Definitions:
    """Return the sensor; it runs even where schedules do not: commands die as well."""
    sensor = dg.SensorDefinition(
        name="dead_runs",
        jobs=[DAILY, SOURCES, HISTORY, TRAIN, SEND_TEXTS],
        evaluation_fn=dead_runs,
        minimum_interval_seconds=LOOK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends runs whose process died, frees their slot, asks for them again.",
    )
    return dg.Definitions(sensors=[sensor])


def dead_runs(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Look at each lease; see docs/operations.md."""
    memory = Memory.of(context.cursor)
    origin = context.code_location_origin
    location = origin.location_name if origin else None
    ended = end_dead_runs(context.instance, memory.looks, memory.may_go_on, location)
    for run in ended:
        context.log.warning(f"Run {run.run_id} of {run.job_name} died.")
    return dg.SensorResult(
        run_requests=requests_of_dead_commands(context.instance, memory), cursor=memory.cursor()
    )


def requests_of_dead_commands(instance: dg.DagsterInstance, memory: Memory) -> list[dg.RunRequest]:
    """Return the requests for what dead commands would run now."""
    home = home_of(instance)
    requests = []
    for pending in pending_in(home):
        lease = own_place(home, pending.command).read()
        if lease is not None and not memory.looks.is_dead(lease):
            continue
        remove_lease(home, pending.command)
        request = next_request(instance, pending, memory.may_go_on)
        if request is not None:
            requests.append(request)
    return requests
