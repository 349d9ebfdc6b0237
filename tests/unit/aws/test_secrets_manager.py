"""Keys are asked for at first need, kept for minutes, and asked for again, seldom, for a signature by none of them."""

import threading
from types import SimpleNamespace

import pytest
from botocore.exceptions import EndpointConnectionError

from image_processor import telemetry
from image_processor.aws.secrets_manager import SigningKeys
from image_processor.errors import BadSignature, InvalidRequest, Throttled, Unavailable
from image_processor.urls.signatures import sign

from ..fakes import client_error

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key"


class FakeSecrets:
    def __init__(self) -> None:
        self.stages = {"AWSCURRENT": "first"}
        self.asked: list[str] = []
        self.opened = 0
        self.failure: Exception | None = None

    def client(self):
        self.opened += 1
        return self

    def rotate(self, key: str) -> None:
        self.stages = {"AWSCURRENT": key, "AWSPREVIOUS": self.stages["AWSCURRENT"]}

    def get_secret_value(self, *, SecretId, VersionStage):  # noqa: N803 - AWS's names
        assert SecretId == ARN
        self.asked.append(VersionStage)
        if self.failure:
            raise self.failure
        if VersionStage not in self.stages:
            raise client_error("ResourceNotFoundException", "GetSecretValue")
        return {"SecretString": self.stages[VersionStage]}


@pytest.fixture
def secrets() -> FakeSecrets:
    return FakeSecrets()


@pytest.fixture
def clock() -> SimpleNamespace:
    return SimpleNamespace(now=1000.0)


@pytest.fixture
def keys(secrets, clock) -> SigningKeys:
    return SigningKeys(secrets.client, ARN, lambda: clock.now)


def signed(key: str) -> dict[str, str]:
    return {"width": "300", "sig": sign(key, "/a", {"width": "300"})}


def test_nothing_is_asked_before_it_is_needed(keys, secrets):
    assert (secrets.opened, secrets.asked) == (0, [])
    assert keys.all() == ("first",)
    assert (secrets.opened, secrets.asked) == (1, ["AWSCURRENT", "AWSPREVIOUS"])


def test_the_current_key_signs_and_the_one_before_is_good_too(keys, secrets):
    secrets.rotate("second")

    assert keys.current() == "second"
    assert keys.all() == ("second", "first")


def test_keys_are_kept_for_five_minutes(keys, secrets, clock):
    keys.all()
    secrets.rotate("second")
    clock.now += 299

    assert keys.current() == "first"
    clock.now += 1
    assert keys.current() == "second"
    assert (secrets.opened, len(secrets.asked)) == (1, 4)


def test_a_key_that_was_replaced_twice_is_good_no_more(keys, secrets, clock):
    keys.check("/a", signed("first"), 0)
    secrets.rotate("second")
    secrets.rotate("third")
    clock.now += 300

    keys.check("/a", signed("second"), 0)
    with pytest.raises(BadSignature):
        keys.check("/a", signed("first"), 0)


def test_a_signature_by_a_newer_key_is_good_at_once(keys, secrets, clock):
    keys.check("/a", signed("first"), 0)
    secrets.rotate("second")
    keys.check("/a", signed("second"), 0)
    keys.check("/a", signed("first"), 0)
    secrets.rotate("third")
    clock.now += 1
    keys.check("/a", signed("third"), 0)
    keys.check("/a", signed("second"), 0)


def test_wrong_signatures_ask_three_times_and_then_every_half_a_minute(keys, secrets, clock):
    keys.all()
    for _ in range(600):  # a minute of them
        clock.now += 0.1
        with pytest.raises(BadSignature, match="wrong"):
            keys.check("/a", signed("a stranger's"), 0)

    assert secrets.asked.count("AWSCURRENT") in (1 + 3 + 1, 1 + 3 + 2)
    secrets.rotate("second")
    clock.now += 30
    keys.check("/a", signed("second"), 0)


@pytest.mark.parametrize("parameters", [{"width": "300"}, {"width": "300", "sig": ""}])
def test_a_missing_signature_asks_for_no_newer_key(keys, secrets, clock, parameters):
    keys.all()
    clock.now += 60
    with pytest.raises(BadSignature, match="missing"):
        keys.check("/a", parameters, 0)

    assert secrets.asked.count("AWSCURRENT") == 1


def test_expiry_is_checked_too(keys):
    parameters = {"exp": "100"}
    parameters["sig"] = sign("first", "/a", parameters)

    keys.check("/a", parameters, 99)
    with pytest.raises(BadSignature, match="expired"):
        keys.check("/a", parameters, 100)
    with pytest.raises(InvalidRequest):
        keys.check("/a", {"exp": "x", "sig": sign("first", "/a", {"exp": "x"})}, 0)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (client_error("ThrottlingException"), Throttled),
        (client_error("AccessDeniedException"), Unavailable),
        (client_error("ResourceNotFoundException"), Unavailable),
        (client_error("DecryptionFailure"), Unavailable),
        (EndpointConnectionError(endpoint_url="https://inner"), Unavailable),
    ],
)
def test_a_failure_is_told_in_our_words_and_asked_about_again(keys, secrets, failure, error):
    secrets.failure = failure
    with pytest.raises(error, match="Secrets Manager") as caught:
        keys.all()
    assert "arn:" not in str(caught.value)
    assert "inner" not in str(caught.value)
    secrets.failure = None

    assert keys.current() == "first"


def test_a_previous_key_that_can_not_be_read_is_no_missing_one(keys, secrets):
    answer = secrets.get_secret_value

    def refuse_previous(**request):
        if request["VersionStage"] == "AWSPREVIOUS":
            raise client_error("AccessDeniedException")
        return answer(**request)

    secrets.get_secret_value = refuse_previous

    with pytest.raises(Unavailable):
        keys.all()


def test_keys_that_are_known_are_good_while_newer_ones_can_not_be_had(keys, secrets, clock, monkeypatch):
    faults = []
    monkeypatch.setattr(telemetry, "fault", lambda _, error: faults.append(error.code))
    keys.all()
    clock.now += 60
    secrets.failure = client_error("InternalServiceError")
    for _ in range(10):
        with pytest.raises(BadSignature):  # not Unavailable, which a cache would keep for all who ask
            keys.check("/a", signed("second"), 0)

    keys.check("/a", signed("first"), 0)
    assert secrets.asked.count("AWSCURRENT") == 1 + 3
    assert faults == 3 * ["unavailable"]


def test_an_outage_turns_nobody_away_who_was_signed_for(keys, secrets, clock, monkeypatch):
    faults = []
    monkeypatch.setattr(telemetry, "fault", lambda route, error: faults.append((route, error.code)))
    keys.all()
    secrets.failure = client_error("InternalServiceError")
    clock.now += 301

    for _ in range(10):
        keys.check("/a", signed("first"), 0)
    assert secrets.asked.count("AWSCURRENT") == 2
    assert faults == [("signing keys", "unavailable")]

    secrets.failure = None
    secrets.rotate("second")
    clock.now += 30
    assert keys.current() == "second"


def test_threads_that_need_them_at_once_ask_once(secrets):
    begun, go_on = threading.Event(), threading.Event()
    answer = secrets.get_secret_value

    def slowly(**request):
        begun.set()
        assert go_on.wait(10)
        return answer(**request)

    secrets.get_secret_value = slowly
    keys, found = SigningKeys(secrets.client, ARN), []
    threads = [threading.Thread(target=lambda: found.append(keys.all())) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)

    assert found == [("first",)] * 8
    assert secrets.asked == ["AWSCURRENT", "AWSPREVIOUS"]
