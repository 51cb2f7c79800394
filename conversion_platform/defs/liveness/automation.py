"""Observes the leases every 25 seconds.

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
from conversion_platform.defs.liveness.resuming import next_request
from conversion_platform.defs.messaging.automation import SEND_TEXTS
from conversion_platform.defs.training.automation import TRAIN
from conversion_platform.liveness import (
    OBSERVE_SECONDS,
    Observations,
    lease_store,
    pending_in,
    process_of,
    remove_lease,
)

MOST_AGAIN = 3


@dataclass
class Memory:
    """What one evaluation of the sensor hands on to the next.

    Attributes:
        observations: What is known of each holder of a lease.
        daemon: The process that starts runs: where it is a new one, somebody started it again.
        again: How often each run that died was asked for again under this daemon.
    """

    observations: Observations
    daemon: str
    again: dict[str, int]

    @classmethod
    def of(cls, cursor: str | None) -> Self:
        """Return the memory for the evaluation after the one that wrote `cursor`."""
        known = json.loads(cursor or "{}")
        daemon = str(process_of(os.getppid()))
        again = known.get("again", {}) if known.get("daemon") == daemon else {}
        return cls(Observations.decoded(known.get("observations")), daemon, again)

    def cursor(self) -> str:
        """Return the memory as the sensor's cursor."""
        return json.dumps(
            {
                "observations": self.observations.encoded(),
                "daemon": self.daemon,
                "again": self.again,
            }
        )

    def record_attempt(self, name: str) -> bool:
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
        minimum_interval_seconds=OBSERVE_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends runs whose process died, frees their slot, asks for them again.",
    )
    return dg.Definitions(sensors=[sensor])


def dead_runs(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Look at each lease; see docs/operations.md."""
    memory = Memory.of(context.cursor)
    origin = context.code_location_origin
    location = origin.location_name if origin else None
    ended = end_dead_runs(context.instance, memory.observations, memory.record_attempt, location)
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
        lease = lease_store(home, pending.command).read()
        if lease is not None and not memory.observations.observe(lease):
            continue
        remove_lease(home, pending.command)
        request = next_request(instance, pending, memory.record_attempt)
        if request is not None:
            requests.append(request)
    return requests
