"""Simulates a stack under load, in steps of a tenth of a second: queue, Lambda's pollers, function, and AWS's quotas.

    uploads ─▶ S3 ─▶ queue ─▶ pollers ─▶ invocations, of up to ten sources each ─▶ calls to S3 and DynamoDB
             503 above        5, then                 429 above the account's      throttled above their quotas:
             its quota        300 more a minute       concurrent executions        tried 3 times, then again after 6 min

Measured are the seconds of a source (prices.MEASURED). Documented are the numbers of quotas.py and of the template.
Assumed, because AWS does not say it:

- The pollers that are free share the waiting messages evenly. They become fewer as fast as they became more.
- S3 and DynamoDB double what a partition or a table takes after half an hour in which they throttled.
- A source's calls are made together at its start. Sources of one batch are equally old on average.
- The seconds of a source vary with a log-normal distribution.

A run is repeatable: its random numbers have a seed.
"""

import math
import random
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass

from tests.benchmarks import quotas
from tests.benchmarks.cost_tables import prices
from tests.benchmarks.scaling_case import Case, Outcome

STEP = 0.1  # seconds
BATCH, VISIBILITY, RECEIVES = 10, 360.0, 5  # of the template: BatchSize, VisibilityTimeout, maxReceiveCount
TRIES = 3  # of a call; `aws.clients` waits up to 1 s and 2 s in between
GROWTH = 1800.0  # seconds of throttling until S3 or DynamoDB takes twice as much
UPLOADS, POLLERS, CONCURRENCY = "S3 writes of uploads", "Lambda's pollers", "`MaximumConcurrency`"
EXECUTIONS = "Lambda's concurrent executions"
SPREAD = 0.3  # standard deviation of the logarithm of a source's seconds


@dataclass(slots=True)
class _Messages:
    """Messages of one age that were received equally often."""

    sent_at: float
    receives: int
    count: int


@dataclass(slots=True)
class _Batch:
    """An invocation, or before it a batch that Lambda throttles."""

    messages: list[_Messages]
    size: int
    received_at: float
    started_at: float = 0.0
    pending: int = 0  # sources whose calls have not been accepted
    failed: int = 0


class _Quota:
    """A token bucket of one second."""

    def __init__(self, rate: float, units: float = 1) -> None:
        self._rate, self._units = rate, units
        self._tokens, self._at, self._throttled = rate, 0.0, 0.0

    def room(self, time: float) -> int:
        """How many sources it takes now."""
        self._tokens = min(self._rate, self._tokens + self._rate * (time - self._at))
        self._at = time
        return int(self._tokens / self._units)

    def use(self, count: int, *, throttled: bool) -> None:
        """Take the tokens of these sources; grow after half an hour of throttling."""
        self._tokens -= count * self._units
        self._throttled += STEP * throttled
        if self._throttled >= GROWTH:
            self._rate, self._throttled = 2 * self._rate, 0.0


class Simulation:
    """One run."""

    def __init__(self, case: Case, seconds: prices.Seconds = prices.MEASURED, *, seed: int = 1) -> None:
        self._case, self._seconds, self._random = case, seconds, random.Random(seed)  # noqa: S311 - to be repeatable
        self._outcome = Outcome()
        self._uploads = _Quota(quotas.S3_WRITES * case.partitions)
        self._quotas = {name: _Quota(rate, units) for name, (units, rate) in case.calls().items()}
        self._time, self._step = 0.0, 0
        self._to_upload, self._behind = case.uploads, 0  # `_behind`: uploads that S3 has refused so far
        self._queue = deque[_Messages]()
        self._waiting = self._running = 0
        self._most_pollers = float(min(case.concurrency, quotas.MOST_POLLERS))
        self._pollers = min(quotas.FIRST_POLLERS, self._most_pollers)
        self._throttled_batches = deque[_Batch]()
        self._hidden = defaultdict[int, list[_Messages]](list)  # messages that failed, by when they are visible again
        self._calls = defaultdict[int, list[tuple[_Batch, int, int]]](list)  # batch, sources, number of the try
        self._ends = defaultdict[int, list[_Batch]](list)

    def run(self, until: float = math.inf) -> Outcome:
        """Run until all is done, or for so many seconds."""
        before: tuple[float, int, int] | None = None
        outcome = self._outcome
        while self._time < until and (self._to_upload or self._behind or self._open()):
            self._upload()
            for messages in self._hidden.pop(self._step, ()):
                self._send(messages)
            for batch in self._ends.pop(self._step, ()):
                self._end(batch)
            self._poll()
            self._call()
            if before is None and self._time >= until * 2 / 3:
                before = self._time, self._open(), outcome.done
            self._step += 1
            self._time = self._step * STEP
        outcome.left = self._open()
        if before and self._time > before[0]:
            time, left, done = before
            outcome.growth = (outcome.left - left) / (self._time - time)
            outcome.rate = (outcome.done - done) / (self._time - time)
        return outcome

    def _open(self) -> int:
        """Messages that were sent and are not yet done or dead."""
        sent = self._case.uploads - self._to_upload - self._behind
        return sent - self._outcome.done - self._outcome.dead

    def _upload(self) -> None:
        if not self._to_upload and not self._behind:
            return
        due = min(self._to_upload, _poisson(self._random, self._case.rate * STEP))
        self._to_upload -= due
        wanted = due + self._behind
        sent = min(wanted, self._uploads.room(self._time))
        self._uploads.use(sent, throttled=sent < wanted)
        self._behind = wanted - sent
        self._outcome.bound[UPLOADS] += sent < wanted
        if sent:
            self._outcome.uploaded_at = self._time
            self._send(_Messages(self._time, 0, sent))

    def _send(self, messages: _Messages) -> None:
        if messages.receives >= RECEIVES:
            self._outcome.dead += messages.count
            return
        self._queue.append(messages)
        self._waiting += messages.count
        self._outcome.most_waiting = max(self._outcome.most_waiting, self._waiting)

    def _poll(self) -> None:
        """Lambda receives batches by the pollers that are free, and invokes the function as far as it may."""
        while self._throttled_batches and self._running < self._case.executions:
            self._start(self._throttled_batches.popleft())
        while self._throttled_batches and self._time - self._throttled_batches[0].received_at >= VISIBILITY:
            self._return(self._throttled_batches.popleft().messages)
        free = int(self._pollers) - self._running - len(self._throttled_batches)
        size = min(BATCH, math.ceil(self._waiting / free)) if free > 0 else 0
        while free > 0 and self._waiting:
            free -= 1
            batch = self._receive(size)
            if self._running < self._case.executions:
                self._start(batch)
            else:
                self._throttled_batches.append(batch)
        if self._throttled_batches:
            self._outcome.bound[EXECUTIONS] += 1
        elif self._waiting:
            self._outcome.bound[CONCURRENCY if self._pollers == self._most_pollers else POLLERS] += 1
        self._scale()

    def _scale(self) -> None:
        more = bool(self._waiting) and not self._throttled_batches
        lowest = min(quotas.FIRST_POLLERS, self._most_pollers)
        changed = self._pollers + quotas.POLLERS_A_MINUTE / 60 * STEP * (1 if more else -1)
        self._pollers = min(self._most_pollers, max(lowest, changed))

    def _receive(self, size: int) -> _Batch:
        batch = _Batch([], 0, self._time)
        while batch.size < size and self._queue:
            oldest = self._queue[0]
            count = min(size - batch.size, oldest.count)
            batch.messages.append(_Messages(oldest.sent_at, oldest.receives + 1, count))
            batch.size += count
            oldest.count -= count
            if not oldest.count:
                self._queue.popleft()
        self._waiting -= batch.size
        self._outcome.received += batch.size
        return batch

    def _start(self, batch: _Batch) -> None:
        self._running += 1
        self._outcome.invocations += 1
        self._outcome.most_running = max(self._outcome.most_running, self._running)
        batch.started_at, batch.pending = self._time, batch.size
        self._calls[self._step].append((batch, batch.size, 1))

    def _call(self) -> None:
        """S3 and DynamoDB accept the calls of as many sources as every quota has room for."""
        due = self._calls.pop(self._step, None)
        if due is None:
            return
        wanted = sum(count for _, count, _ in due)
        rooms = {name: quota.room(self._time) for name, quota in self._quotas.items()}
        first = min(rooms, key=lambda name: rooms[name])
        accepted = min(wanted, rooms[first])
        for name, quota in self._quotas.items():
            quota.use(accepted, throttled=name == first and accepted < wanted)
        self._outcome.bound[first] += accepted < wanted
        for batch, count, number in due:
            refused = self._binomial(count, 1 - accepted / wanted)
            batch.pending -= count - refused
            if refused and number < TRIES:
                wait = self._random.random() * 2 ** (number - 1)
                self._calls[self._step + max(1, round(wait / STEP))].append((batch, refused, number + 1))
            else:
                batch.failed += refused
                batch.pending -= refused
            if not batch.pending:
                self._ends[self._step + max(1, round(self._work(batch) / STEP))].append(batch)

    def _binomial(self, count: int, share: float) -> int:
        return sum(self._random.random() < share for _ in range(count)) if share else 0

    def _work(self, batch: _Batch) -> float:
        """The seconds from the calls of the last source to the end of the invocation."""
        one, ten = self._seconds.alone, BATCH * self._seconds.of_ten
        usual = one + (ten - one) * (batch.size - 1) / (BATCH - 1)
        spread = SPREAD / math.sqrt(batch.size)
        work = usual * self._random.lognormvariate(-(spread**2) / 2, spread)
        if self._running > self._outcome.environments:
            self._outcome.environments += 1
            work += prices.START
        self._outcome.billed += self._time - batch.started_at + work
        return work

    def _end(self, batch: _Batch) -> None:
        self._running -= 1
        failed = list[_Messages]()
        for messages in reversed(batch.messages):
            lost = min(batch.failed, messages.count)
            batch.failed -= lost
            if lost:
                failed.append(_Messages(messages.sent_at, messages.receives, lost))
            if messages.count > lost:
                self._outcome.done += messages.count - lost
                self._outcome.done_at = self._time
                self._outcome.lags.append((self._time - messages.sent_at, messages.count - lost))
        visible_at = max(self._time, batch.received_at + VISIBILITY)
        self._hidden[max(self._step + 1, round(visible_at / STEP))] += failed

    def _return(self, messages: Iterable[_Messages]) -> None:
        for one in messages:
            self._send(one)


def _poisson(source: random.Random, mean: float) -> int:
    """A number of events; for many of them, by the normal distribution."""
    if mean > 50:
        return max(0, round(source.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), source.random(), 0
    while product > limit:
        product *= source.random()
        count += 1
    return count
