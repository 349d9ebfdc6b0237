"""Simulates CloudFront's invalidations while sources change, in steps of a second.

Each execution environment invalidates after each invocation what it has changed: a path for each source, or `/*` for
more than 15. CloudFront refuses a request with which more than 15 paths would be in progress, and the environment's
next invocation adds its sources to those that were refused. Assumed is that an invalidation takes a minute.
"""

import random
from collections import deque
from dataclasses import dataclass

from tests.benchmarks import quotas
from tests.benchmarks.cost_tables import prices

TAKES = 60  # seconds; AWS names none, and users report less than a minute to some minutes
ENVIRONMENTS = 10  # as many as MaximumConcurrency
MONTH = 30 * 86_400


@dataclass(slots=True)
class Invalidated:
    """What CloudFront accepted in a run."""

    seconds: int
    paths: int = 0
    whole: int = 0  # of them, `/*`

    def dollars_a_month(self) -> float:
        """The price of a month at the rate of this run."""
        return prices.invalidations(round(self.paths * MONTH / self.seconds))


def invalidate(rate: float, seconds: int = 20_000, *, seed: int = 1) -> Invalidated:
    """Change so many sources a second for a time; up to 25 a second come one by one, more in batches of ten."""
    source, found = random.Random(seed), Invalidated(seconds)  # noqa: S311 - to be repeatable
    batch = 1 if rate <= 25 else 10
    in_use = min(ENVIRONMENTS, max(1, round(rate * prices.MEASURED.alone)))
    waiting, progress = [0] * in_use, deque[tuple[int, int]]()  # sources; end and paths of what is in progress
    credit = 0.0
    for now in range(seconds):
        while progress and progress[0][0] <= now:
            progress.popleft()
        credit += rate / batch * source.expovariate(1.0)
        while credit >= 1:
            credit -= 1
            environment = source.randrange(in_use)
            waiting[environment] += batch
            paths = waiting[environment] if waiting[environment] <= quotas.WILDCARDS else 1
            if sum(count for _, count in progress) + paths <= quotas.WILDCARDS:
                progress.append((now + TAKES, paths))
                found.paths += paths
                found.whole += waiting[environment] > quotas.WILDCARDS
                waiting[environment] = 0
    return found
