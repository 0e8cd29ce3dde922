"""How to log in to the broker, by the settings: password, certificates, protocol. Secrets are never shown."""

import os
import ssl
import stat
from collections.abc import Mapping
from pathlib import Path

from improviser.core.addresses.broker import parse_broker
from improviser.errors import ConfigError
from improviser.files import open_regular, user_path
from improviser.remote.mqtt import Access, log
from improviser.settings.config import PASSWORD_VARIABLE
from improviser.settings.schema import Settings

LARGEST_PASSWORD = 1 << 16
LARGEST_CERTIFICATES = 1 << 24
TLS_KEYS = ("mqtt_ca_file", "mqtt_cert_file", "mqtt_key_file")


def access_of(settings: Settings, environment: Mapping[str, str]) -> Access | None:
    """Return how to log in to the broker that the settings name, None if they name none.

    The password is the environment's (IMPROVISER_MQTT_PASSWORD), or else the file's.

    :raises ConfigError: if a file of it cannot be read, or is not what it should be.
    """
    broker = parse_broker(settings.mqtt)
    if broker is None:
        return None
    password = environment.get(PASSWORD_VARIABLE) or None
    if settings.mqtt_password_file is not None:
        password = password or read_password(user_path(settings.mqtt_password_file))
        if broker.user is None:
            raise ConfigError("a password for the broker takes a user: mqtt://user@host")
    given = [name for name in TLS_KEYS if getattr(settings, name) is not None]
    if given and not broker.secure:
        raise ConfigError(f"{given[0]} takes a broker with TLS: mqtts://{broker.host}")
    return Access(broker, password, _context(settings) if broker.secure else None, settings.mqtt_protocol)


def read_password(path: Path) -> str:
    """Return the first line of a file; say so if others can read it, too.

    :raises ConfigError: if it cannot be read.
    """
    try:
        with open_regular(path, LARGEST_PASSWORD) as file:
            if os.name == "posix" and os.fstat(file.fileno()).st_mode & (stat.S_IRGRP | stat.S_IROTH):
                log.warning("others can read %s: keep it to yourself with chmod 600", path)
            return file.read(LARGEST_PASSWORD).decode().split("\n", 1)[0].rstrip("\r")
    except OSError as error:
        raise ConfigError(f"mqtt_password_file: cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"mqtt_password_file: {path} is not UTF-8 text") from error


def _context(settings: Settings) -> ssl.SSLContext:
    ca, certificate, key = (
        None if name is None else user_path(name)
        for name in (settings.mqtt_ca_file, settings.mqtt_cert_file, settings.mqtt_key_file)
    )
    for name, path in zip(TLS_KEYS, (ca, certificate, key), strict=True):
        if path is not None:
            _check_regular(name, path)
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"mqtt_ca_file: cannot use {ca}: {_reason(error)}") from error
    if ca is not None:
        # From Python 3.13 on, authorities made by hand would be refused for extensions that they rarely have.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if certificate is None:
        if key is not None:
            raise ConfigError("mqtt_key_file takes the certificate that it belongs to: mqtt_cert_file")
        return context
    try:
        # A key with a passphrase would ask for it on the terminal, where nobody may be; an empty one is refused.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ssl.SSLError) as error:
        files = " and ".join(str(file) for file in (certificate, key) if file is not None)
        raise ConfigError(f"mqtt_cert_file: cannot use {files}: {_reason(error)}") from error
    return context


def _check_regular(name: str, path: Path) -> None:
    """Check that there is a file before the TLS library opens it, and may wait for ever.

    :raises ConfigError: if there is none, or it is something else.
    """
    try:
        open_regular(path, LARGEST_CERTIFICATES).close()
    except OSError as error:
        raise ConfigError(f"{name}: cannot use {path}: {error.strerror or error}") from error


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"it does not hold what it should ({error.reason or 'not PEM'})"
    return error.strerror or str(error)
