"""The tables of what strangers can cause, in docs/costs.md and docs/security.md, from prices.py and quotas.py."""

from collections.abc import Sequence
from itertools import product

from image_processor.aws import secrets_manager
from image_processor.transformations import Transformation
from image_processor.transformations.options import FITS, FORMATS

from . import quotas
from .cost_tables import THUMBNAIL_KB, prices

MILLION, DAY = 10**6, 86_400
HEADERS = 1e-6  # GB of a response without its body
EDGE = prices.VIEWER_REQUEST + prices.EDGE_FUNCTION + HEADERS * prices.EGRESS_GB
PICTURE = EDGE + THUMBNAIL_KB * 1e-6 * prices.EGRESS_GB
REACHED = EDGE + prices.S3_READ  # the bucket's refusal, after which CloudFront calls the function
# The source, and twice a look at what has changed meanwhile; a listing and the picture; its record, and the other ones.
RENDERING = 3 * prices.S3_READ + 2 * prices.S3_WRITE + 2 * prices.WRITE_UNIT + prices.READ_UNIT / 2
RECEIVES, TIMEOUT = 5, 60  # of the queue, and seconds of the function
HEADS_AT_A_TIME, S3_SECONDS = 20, 0.1  # of the pipeline; assumed, as in cost.py
REFRESHES = DAY / secrets_manager._REFRESH_INTERVAL  # a day and execution
LADDERS = ((320, 640, 1280), (320, 640, 960, 1280, 1920), (160, 320, 480, 640, 960, 1280, 1920, 2560))


def execution_day() -> float:
    """The most that one concurrent execution costs a day: always busy, and as many requests as Lambda allows it."""
    log = prices.LOG_GB * (prices.REFUSED.log_bytes + prices.LAMBDA_LOG_BYTES) / 1e9
    return prices.execution_day() + quotas.REQUESTS_PER_EXECUTION * DAY * (prices.INVOCATION + log)


def first_request(stored: int) -> float:
    """A request by URL that renders a picture, for a source of which so many others are stored.

    The function reads each of them, 20 at a time, to find those of an older version of the source.
    """
    lookup = 2 * prices.S3_READ + prices.READ_UNIT / 2  # is it stored, is there a source, did it fail before
    heads = stored * prices.S3_READ
    waits = stored / HEADS_AT_A_TIME * S3_SECONDS * prices.execution_day() / DAY
    return REACHED + lookup + prices.invocation(prices.FIRST) + RENDERING + heads + waits


def api_call() -> float:
    """A call of the API that renders a picture."""
    alone = prices.Request(prices.MEASURED.alone, prices.FIRST.log_bytes)
    return prices.API_CALL + prices.invocation(alone) + RENDERING


def open_renditions(ladder: Sequence[int]) -> int:
    """How many renditions of a source anyone can have rendered with `AllowUnsigned` and this ladder."""
    formats = ["", *(f"format={name}" for name in FORMATS)]
    names = {
        str(Transformation.parse(",".join(filter(None, (width, height, f"fit={fit}", form)))))
        for width, height, fit, form in product(_sides("width", ladder), _sides("height", ladder), FITS, formats)
        if width or height
    }
    return len(names)


def _sides(name: str, ladder: Sequence[int]) -> list[str]:
    return ["", *(f"{name}={side}" for side in ladder)]


def request_table() -> str:
    """What a million requests of each kind cost."""
    options = prices.API_CALL + prices.invocation(prices.REFUSED)
    refused = REACHED + prices.invocation(prices.REFUSED)
    missing = REACHED + prices.invocation(prices.MISSING) + 2 * prices.S3_READ
    bomb = RECEIVES * (prices.INVOCATION + TIMEOUT * prices.execution_day() / DAY)
    rows = [
        ("a picture in CloudFront's cache", f"a request, the CloudFront function, {THUMBNAIL_KB} KB sent", PICTURE),
        ("the same with a `v` that was never used", "also a read of the bucket", PICTURE + prices.S3_READ),
        ("invalid options", "a request, the CloudFront function", EDGE),
        ("a size, unsigned or with a wrong signature", "also a read of the bucket and 2 ms of the function", refused),
        ("a variant of a source that does not exist", "also a read of the bucket, 0.11 s and two more reads", missing),
        ("a new picture, signed or by `AllowUnsigned`", "also a rendering of 0.55 s, S3, a record", first_request(0)),
        ("`POST /images` without a key", "AWS does not charge what API Gateway refuses", 0.0),
        ("`OPTIONS /images`", "a call, 2 ms of the function", options),
        ("`POST /images` with the key", "a call, a rendering of 0.39 s, S3, a record", api_call()),
        ("an upload that lasts until the timeout", f"{RECEIVES} invocations of {TIMEOUT} s", bomb),
    ]
    lines = ["| request | causes | a million cost |", "| --- | --- | --- |"]
    return "\n".join(lines + [f"| {name} | {causes} | ${cost * MILLION:,.2f} |" for name, causes, cost in rows])


def delivery_table() -> str:
    """The prices of what viewers cause."""
    cdn, api, waf = (f"https://aws.amazon.com/{page}/pricing/" for page in ("cloudfront", "api-gateway", "waf"))
    request = prices.VIEWER_REQUEST * MILLION
    rows = [
        (f"[CloudFront]({cdn}), requests by HTTPS",
         f"${request:.2f} per million in North America, $1.20 in Europe, more elsewhere", "10 million"),
        ("CloudFront, requests by HTTP, which are redirected", "$0.75 per million in North America, $0.90 in Europe",
         "these 10 million"),
        ("the CloudFront function, once a request", f"${prices.EDGE_FUNCTION * MILLION:.2f} per million", "2 million"),
        ("CloudFront, bytes sent", f"${prices.EGRESS_GB} per GB in North America and Europe", "1 TB"),
        ("pictures that are not in CloudFront's cache", f"${prices.S3_READ * MILLION:.2f} per million, for S3", ""),
        ("pictures that are rendered for their first request", f"${first_request(0) * MILLION:.0f} per million", ""),
        (f"calls of the [API]({api})", f"${prices.API_CALL * MILLION:.2f} per million, and the rendering", ""),
        (f"[AWS WAF]({waf}), only with `CdnWebAclArn`",
         f"${prices.FIREWALL_MONTH:.2f} a month for a web ACL with one rule, and "
         f"${prices.FIREWALL_REQUEST * MILLION:.2f} per million requests", ""),
    ]  # fmt: skip
    lines = ["| item | price | free each month |", "| --- | --- | --- |"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def facts() -> list[str]:
    """What docs/costs.md says in its text."""
    cached, read = PICTURE * MILLION, (PICTURE + prices.S3_READ) * MILLION
    return [
        f"cost ${cached:.2f} from CloudFront's cache, and ${read:.2f} from the bucket",
        f"{prices.START} s, which is ${prices.START * prices.execution_day() / DAY * MILLION:.0f} per million starts",
        f"${prices.PATH * 1000:.0f} for a thousand sources",
        f"1,000 changes a day cost ${prices.invalidations(30 * 1000):.0f} a month",
        f"a refused request ({prices.REFUSED.seconds * 1000:.0f} ms)",
        f"({prices.MISSING.seconds} s) and for a first one ({prices.FIRST.seconds} s)",
        f"always busy costs ${prices.execution_day():.2f} a day",
    ]


def ladder_table() -> str:
    """What `AllowUnsigned` allows, by ladder."""
    lines = ["| `SizeLadder` | renditions of a source | all of them cost |", "| --- | --- | --- |"]
    for ladder in LADDERS:
        count = open_renditions(ladder)
        cost = sum(first_request(stored) for stored in range(count))
        lines.append(f"| `{','.join(map(str, ladder))}` | {count:,} | ${cost:.2f} a source |")
    return "\n".join(lines)


def bound_table() -> str:
    """What bounds the costs, how to notice what causes them, and what to do."""
    renditions, ladder = open_renditions(LADDERS[0]), len(LADDERS[0])
    waf = "a rate-based rule of AWS WAF"
    rows = [
        ("request sizes without a signature, or with a wrong one",
         f"refused in {prices.REFUSED.seconds * 1000:.0f} ms, before any call to S3; "
         f"`ReservedConcurrency`: ${execution_day():.2f} a day for each execution",
         "`Url4xxCount` of the function; `bad-signature` in its log", f"set `ReservedConcurrency`; {waf}"),
        ("invent sources", "`ReservedConcurrency`, as above; a 404 is cached for a second",
         "`Url4xxCount`; `source-not-found` in the log", "the same"),
        ("invent values of `v`",
         f"S3, {quotas.S3_READS:,} reads a second and prefix: ${quotas.S3_READS * DAY * prices.S3_READ:.0f} a day",
         "`Requests` of the distribution; requests of the bucket", waf),
        ("request stored pictures",
         f"CloudFront, {quotas.CDN_REQUESTS:,} requests a second: ${quotas.CDN_REQUESTS * DAY * EDGE:,.0f} a day",
         "`Requests` and `BytesDownloaded` of the distribution", waf),
        ("have sizes rendered, with `AllowUnsigned`",
         f"{renditions} renditions of a source with {ladder} sizes; `ReservedConcurrency`",
         "the metric `Renditions`; `Throttles` of the function", "a shorter `SizeLadder`, or signed URLs"),
        ("call the API without a key", "AWS does not charge refused calls; `OPTIONS` has `ApiRateLimit`",
         "`4XXError` of the API", "nothing"),
        ("call the API with a key that leaked",
         f"`ApiRateLimit`, `ApiQuotaPerDay`: ${10_000 * api_call():.2f} a day for thumbnails",
         "`Count` of the API", "replace the key"),
        ("upload files that take all the time or memory, if they may upload",
         f"{RECEIVES} receives; `MaximumConcurrency`: ${10 * prices.execution_day():.0f} of Lambda a day; "
         "`MaxSourceBytes` and `MaxSourcePixels`", "[FunctionErrorAlarm](operations.md#functionerroralarm), "
         "[DeadLetterAlarm](operations.md#deadletteralarm)", "withdraw the permission to upload"),
        ("upload large files, if they may upload", "nothing: S3 stores what your policy allows",
         "`BucketSizeBytes`", "limit the size in your presigned POST"),
    ]  # fmt: skip
    lines = ["| strangers | bounded by | to be seen in | what to do |", "| --- | --- | --- | --- |"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def day_table() -> str:
    """What bounds the costs of a day."""
    queue = 10 * prices.execution_day()
    secret = REFRESHES * prices.SECRET_CALL  # a call, as long as the key is the same
    missing = REACHED + prices.invocation(prices.MISSING) + 2 * prices.S3_READ
    rate, window = 2_000, 300
    address = rate * DAY / window
    calls = 10_000 * api_call()
    slow = 10_000 * (prices.API_CALL + prices.INVOCATION + TIMEOUT * prices.execution_day() / DAY)
    preflight = (prices.API_CALL + prices.invocation(prices.REFUSED)) * 10 * DAY
    rows = [
        ("`ReservedConcurrency`", "the function, for everything together",
         f"${execution_day():.2f} for each execution; without it, ${execution_day() * quotas.EXECUTIONS:,.0f} "
         f"for the {quotas.EXECUTIONS:,} of an account"),
        ("`MaximumConcurrency` (10)", "uploads, whatever they contain", f"${queue:.0f} of Lambda"),
        (f"one refresh of the keys in {DAY / REFRESHES:.0f} s", "Secrets Manager, after wrong signatures",
         f"${secret:.2f} for each execution"),
        ("`ApiQuotaPerDay` (10,000)", "calls with the key", f"${calls:.2f}, or ${slow:.0f} if each lasts {TIMEOUT} s"),
        ("`ApiRateLimit` (10 a second)", "`OPTIONS`, which needs no key", f"${preflight:.2f}"),
        (f"AWS WAF, {rate:,} requests in 5 minutes", "all requests of one IP address",
         f"${address * missing:.2f} if all are for sources that do not exist"),
        (f"S3, {quotas.S3_READS:,} reads a second", "pictures with a `v` that was never used",
         f"${quotas.S3_READS * DAY * prices.S3_READ:.0f} of reads for each prefix"),
        (f"CloudFront, {quotas.CDN_REQUESTS:,} requests a second", "everything that viewers request",
         f"${quotas.CDN_REQUESTS * DAY * EDGE:,.0f}"),
    ]  # fmt: skip
    lines = ["| bound | bounds | a day costs at most |", "| --- | --- | --- |"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])
