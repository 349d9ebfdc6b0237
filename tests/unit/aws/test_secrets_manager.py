"""Signing keys: read when needed, cached for five minutes, and refreshed, rate-limited, after an unknown signature."""

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
        self.requested_stages: list[str] = []
        self.clients_opened = 0
        self.failure: Exception | None = None

    def client(self):
        self.clients_opened += 1
        return self

    def rotate(self, key: str) -> None:
        self.stages = {"AWSCURRENT": key, "AWSPREVIOUS": self.stages["AWSCURRENT"]}

    def get_secret_value(self, *, SecretId, VersionStage):  # noqa: N803 - AWS's names
        assert SecretId == ARN
        self.requested_stages.append(VersionStage)
        if self.failure:
            raise self.failure
        if VersionStage not in self.stages:
            raise client_error("ResourceNotFoundException", "GetSecretValue")
        key = self.stages[VersionStage]
        return {"SecretString": key, "VersionId": f"version of {key}"}


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


def test_the_keys_are_read_when_they_are_first_needed(keys, secrets):
    assert (secrets.clients_opened, secrets.requested_stages) == (0, [])
    assert keys.all() == ("first",)
    assert (secrets.clients_opened, secrets.requested_stages) == (1, ["AWSCURRENT", "AWSPREVIOUS"])


def test_the_current_key_signs_and_the_previous_one_is_valid_too(keys, secrets):
    secrets.rotate("second")

    assert keys.current() == "second"
    assert keys.all() == ("second", "first")


def test_the_keys_are_cached_for_five_minutes(keys, secrets, clock):
    keys.all()
    secrets.rotate("second")
    clock.now += 299

    assert keys.current() == "first"
    clock.now += 1
    assert keys.current() == "second"
    assert (secrets.clients_opened, len(secrets.requested_stages)) == (1, 4)


def test_a_key_that_was_rotated_twice_is_invalid(keys, secrets, clock):
    keys.check("/a", signed("first"), 0)
    secrets.rotate("second")
    secrets.rotate("third")
    clock.now += 300

    keys.check("/a", signed("second"), 0)
    with pytest.raises(BadSignature):
        keys.check("/a", signed("first"), 0)


def flood(keys, clock, seconds: float) -> None:
    """Ten wrong signatures a second."""
    for _ in range(round(seconds * 10)):
        clock.now += 0.1
        with pytest.raises(BadSignature, match="wrong"):
            keys.check("/a", signed("unknown"), 0)


def test_a_signature_by_a_newer_key_is_valid_at_once(keys, secrets, clock):
    keys.check("/a", signed("first"), 0)
    secrets.rotate("second")
    keys.check("/a", signed("second"), 0)
    keys.check("/a", signed("first"), 0)
    secrets.rotate("third")
    clock.now += 5
    keys.check("/a", signed("third"), 0)
    keys.check("/a", signed("second"), 0)


@pytest.mark.parametrize("begun", [0.1, 2.5, 4.9, 5.0, 60.0])
def test_a_flood_of_wrong_signatures_delays_a_newer_key_by_five_seconds_at_most(keys, secrets, clock, begun):
    keys.all()
    flood(keys, clock, begun)
    secrets.rotate("second")
    flood(keys, clock, 4.9)
    clock.now += 0.1

    keys.check("/a", signed("second"), 0)
    keys.check("/a", signed("first"), 0)


def test_a_flood_of_wrong_signatures_is_one_call_in_five_seconds(keys, secrets, clock):
    keys.all()
    flood(keys, clock, 60)

    assert secrets.requested_stages.count("AWSCURRENT") in (1 + 12, 1 + 13)
    assert secrets.requested_stages.count("AWSPREVIOUS") == 1


def test_a_flood_does_not_extend_a_key_that_was_rotated_twice(keys, secrets, clock):
    keys.all()
    flood(keys, clock, 100)
    secrets.rotate("second")
    keys.check("/a", signed("first"), 0)
    secrets.rotate("third")
    flood(keys, clock, 5.1)

    with pytest.raises(BadSignature):
        keys.check("/a", signed("first"), 0)


@pytest.mark.parametrize("parameters", [{"width": "300"}, {"width": "300", "sig": ""}])
def test_a_missing_signature_does_not_refresh_the_keys(keys, secrets, clock, parameters):
    keys.all()
    clock.now += 60
    with pytest.raises(BadSignature, match="missing"):
        keys.check("/a", parameters, 0)

    assert secrets.requested_stages.count("AWSCURRENT") == 1


def test_an_expired_signature_is_rejected(keys):
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
def test_a_failed_read_raises_an_error_without_aws_text_and_is_retried(keys, secrets, failure, error):
    secrets.failure = failure
    with pytest.raises(error, match="Secrets Manager") as caught:
        keys.all()
    assert "arn:" not in str(caught.value)
    assert "inner" not in str(caught.value)
    secrets.failure = None

    assert keys.current() == "first"


def test_a_previous_key_that_cannot_be_read_is_not_taken_for_missing(keys, secrets):
    get_secret_value = secrets.get_secret_value

    def refuse_previous(**request):
        if request["VersionStage"] == "AWSPREVIOUS":
            raise client_error("AccessDeniedException")
        return get_secret_value(**request)

    secrets.get_secret_value = refuse_previous

    with pytest.raises(Unavailable):
        keys.all()


def test_cached_keys_remain_valid_while_a_refresh_fails(keys, secrets, clock, monkeypatch):
    faults = []
    monkeypatch.setattr(telemetry, "fault", lambda _, error: faults.append(error.code))
    keys.all()
    clock.now += 60
    secrets.failure = client_error("InternalServiceError")
    for _ in range(10):
        with pytest.raises(BadSignature):  # not Unavailable, which caches would give to other viewers too
            keys.check("/a", signed("second"), 0)

    keys.check("/a", signed("first"), 0)
    assert secrets.requested_stages.count("AWSCURRENT") == 1 + 1
    assert faults == ["unavailable"]


def test_an_outage_is_tried_again_after_30_seconds(keys, secrets, clock, monkeypatch):
    monkeypatch.setattr(telemetry, "fault", lambda *_: None)
    keys.all()
    secrets.failure = client_error("InternalServiceError")
    flood(keys, clock, 29)
    assert secrets.requested_stages.count("AWSCURRENT") == 1 + 1

    secrets.failure = None
    secrets.rotate("second")
    clock.now += 1.2
    keys.check("/a", signed("second"), 0)


def test_cached_keys_remain_valid_after_five_minutes_during_an_outage(keys, secrets, clock, monkeypatch):
    faults = []
    monkeypatch.setattr(telemetry, "fault", lambda route, error: faults.append((route, error.code)))
    keys.all()
    secrets.failure = client_error("InternalServiceError")
    clock.now += 301

    for _ in range(10):
        keys.check("/a", signed("first"), 0)
    assert secrets.requested_stages.count("AWSCURRENT") == 2
    assert faults == [("signing keys", "unavailable")]

    secrets.failure = None
    secrets.rotate("second")
    clock.now += 30
    assert keys.current() == "second"


def test_threads_that_need_the_keys_at_once_read_them_once(secrets):
    started, proceed = threading.Event(), threading.Event()
    get_secret_value = secrets.get_secret_value

    def block(**request):
        started.set()
        assert proceed.wait(10)
        return get_secret_value(**request)

    secrets.get_secret_value = block
    keys, found = SigningKeys(secrets.client, ARN), []
    threads = [threading.Thread(target=lambda: found.append(keys.all())) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert started.wait(10)
    proceed.set()
    for thread in threads:
        thread.join(10)

    assert found == [("first",)] * 8
    assert secrets.requested_stages == ["AWSCURRENT", "AWSPREVIOUS"]
