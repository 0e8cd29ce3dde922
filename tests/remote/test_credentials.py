"""How one gets into the broker: passwords and certificates come from where they should, and what is wrong is said."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from improviser.core.addresses.broker import Broker
from improviser.errors import ConfigError
from improviser.remote.credentials import access_of
from improviser.settings.config import Settings, load

SECRET = "correct horse"  # noqa: S105
NOWHERE = re.escape(str(Path("/there/is/none")))
VARIABLE = {"IMPROVISER_MQTT_PASSWORD": SECRET}


def access(environment: Mapping[str, str] | None = None, **settings: Any) -> Any:
    return access_of(Settings(**{"mqtt": "mqtt://me@host", **settings}), environment or {})


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return path


def test_no_broker_no_access() -> None:
    assert access_of(Settings(), VARIABLE) is None


def test_the_password_is_the_environments_or_the_files(
    secret_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert access().password is None
    assert access(VARIABLE).password == SECRET
    assert access(mqtt_password_file=str(secret_file)).password == SECRET
    other = tmp_path / "other"
    other.write_text("other")
    assert access(VARIABLE, mqtt_password_file=str(other)).password == SECRET
    assert access(VARIABLE).broker == Broker("host", 1883, user="me")
    assert not caplog.records


@pytest.mark.unix
def test_a_file_that_others_can_read_is_said(secret_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    secret_file.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert access(mqtt_password_file=str(secret_file)).password == SECRET
    assert "chmod 600" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"mqtt_password_file": "/there/is/none"}, f"mqtt_password_file: cannot read {NOWHERE}"),
        ({"mqtt_password_file": "/"}, f"mqtt_password_file: cannot read {re.escape(str(Path('/')))}"),
        ({"mqtt_ca_file": "x"}, "mqtts://host"),
        ({"mqtt": "mqtts://host", "mqtt_ca_file": "/there/is/none"}, f"mqtt_ca_file: cannot use {NOWHERE}"),
        ({"mqtt": "mqtts://host", "mqtt_ca_file": __file__}, "does not hold what it should"),
        ({"mqtt": "mqtts://host", "mqtt_cert_file": __file__}, "mqtt_cert_file: cannot use"),
        ({"mqtt": "mqtts://host", "mqtt_cert_file": "/there/is/none"}, "mqtt_cert_file: cannot use"),
        ({"mqtt": "mqtts://host", "mqtt_key_file": __file__}, "takes the certificate"),
    ],
)
def test_what_cannot_be_used_is_said(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        access(**settings)


def test_a_password_takes_a_user(secret_file: Path) -> None:
    with pytest.raises(ConfigError, match="mqtt://user@host"):
        access(mqtt="mqtt://host", mqtt_password_file=str(secret_file))


def test_tls_checks_who_it_talks_to() -> None:
    context = access(mqtt="mqtts://host").tls
    assert context.check_hostname
    assert access().tls is None


def test_a_password_in_the_url_is_refused_wherever_it_is_and_never_repeated(tmp_path: Path) -> None:
    url = f"mqtt://me:{SECRET.replace(' ', '')}@host"
    file = tmp_path / "c.toml"
    file.write_text(f'mqtt = "{url}"')
    for source in ({"flags": {"mqtt": url}}, {"file": file}, {"environment": {"IMPROVISER_MQTT": url}}):
        with pytest.raises(ConfigError, match="mqtt must be without a password") as caught:
            load(**{"environment": {}, **source})  # type: ignore[arg-type]
        assert "correct" not in str(caught.value)
