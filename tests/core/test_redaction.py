import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mihu_async.core.redaction import Redactor, hide_secrets, names_secret, secrets_in

SECRET = '7|päss/w<o>r"d\\'


@pytest.mark.parametrize(
    "echo",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET).replace("/", r"\/"),
        json.dumps(SECRET, ensure_ascii=False),
        html.escape(SECRET),
        quote(SECRET),
        quote(SECRET, safe=""),
        repr(SECRET),
    ],
)
def test_a_secret_is_hidden_in_every_form_in_which_it_is_echoed(echo):
    """Escaping a secret does not carry it past the redactor."""
    text = Redactor((SECRET,))(f"before {echo} after")

    assert "***" in text
    assert "w<o" not in text
    assert "ss/w" not in text
    assert text.startswith("before ")
    assert text.endswith(" after")


@pytest.mark.parametrize(
    ("secret", "name", "shown"),
    [
        ("user", "sip.username", "sip.username"),
        ("agent", "agent_busy", "agent_busy"),
        ("trunk", "/api/v1/phone-numbers/trunks", "/api/v1/phone-numbers/trunks"),
        ("phone", "/api/v1/phone-numbers/trunks", "/api/v1/phone-numbers/trunks"),
        ("agent", "/agents/agent?q=%22agent%22", "/agents/***?q=%22***%22"),
        ("hunter22", "/xhunter22x", "/x***x"),
    ],
)
def test_a_plain_word_that_is_a_secret_does_not_garble_the_apis_names(secret, name, shown):
    """Programs compare them; only where it stands alone is it hidden."""
    assert shown == Redactor((secret,)).name(name)


def test_a_short_secret_does_not_garble_every_message():
    """A password of three letters stands in ordinary words."""
    assert "the pad" == Redactor(("pad",))("the pad")


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        ("pad", '{"password":"pad"}', '{"password":"***"}'),
        ("pad", r"{\"password\": \"pad\"}", r"{\"password\": \"***\"}"),
        ("pad", "password=pad&pad", "password=***&pad"),
        ("pad", "<b>pad</b> pads", "<b>***</b> pads"),
        ("pad", "password: pad, padded", "password: ***, padded"),
        ("123", "The PIN 123 is wrong, 1234 and 12.123 too.", "The PIN *** is wrong, 1234 and 12.123 too."),
        ("x-y", "user x-y.", "user ***."),
        ("1", '{"pin": 1, "limit": 12}, in 1 s', '{"pin": ***, "limit": 12}, in 1 s'),
        ("", "a: '' =", "a: '' ="),
    ],
)
def test_a_short_secret_is_hidden_where_it_is_a_value(secret, text, shown):
    """Or stands alone, where it is no plain word."""
    assert shown == Redactor((secret,))(text)


def test_a_short_secret_is_hidden_in_an_address():
    """In the query of it; a part of a path stays, which programs compare."""
    assert "/agents/42?pin=***" == Redactor(("42",)).name("/agents/42?pin=42")


def test_a_redactor_does_not_show_what_it_hides():
    """Its own repr is safe."""
    assert SECRET not in repr(Redactor((SECRET,)))


def test_a_longer_secret_is_hidden_before_a_shorter_one_within_it():
    """No tail of the longer one is left."""
    assert "***" == Redactor(("abcd", "abcdefgh"))("abcdefgh")


@given(secret=st.text(min_size=4), before=st.text(), after=st.text())
def test_no_text_keeps_the_secret(secret, before, after):
    """Whatever surrounds it, the secret's place is taken."""
    assert "***" in Redactor((secret,))(before + secret + after)


def test_secrets_are_found_by_the_names_they_stand_under():
    """Passwords, usernames and tokens are found at any depth; other values are not secrets."""
    value = {
        "sip": {"gateway": "g", "username": "user", "password": "pass"},
        "list": [{"api_token": "t"}, ("x", {"client_secret": "s"})],
        "password": {"nested": "n", "Password": "p2"},
        "token": 5,
        "auth": {"enabled": True},
    }

    assert ["user", "pass", "t", "s", "n", "p2", "5"] == list(secrets_in(value))
    assert [] == list(secrets_in("text"))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "pass",
            "passphrase",
            "private_key",
            "privateKeyPem",
            "auth",
            "pin",
            "PIN-Code",
            "otp",
            "x-api-key",
            "apiKey",
        ),
        *("access_key", "accessKeyId", "jwt", "bearer", "signature", "signing_key", "cookie", "Cookie2", "psk"),
        *("passcode", "passwd", "db_password", "pwd", "token", "tokens", "client_secret", "credentials", "username"),
        *("OAuth", "authorization", "encryption_key", "totp", "smsOTP"),
    ],
)
def test_a_name_says_that_its_value_is_a_secret(name):
    """In snake, kebab and camel case."""
    assert names_secret(name)


@pytest.mark.parametrize(
    "name",
    ["passenger", "author", "spin", "pinned", "key", "idempotency_key", "compass", "option", "number", "", 5, None],
)
def test_a_name_that_only_resembles_one_says_nothing(name):
    """Words count, and not letters within one."""
    assert not names_secret(name)


def test_secrets_are_hidden_by_their_names():
    """However deep they stand and however short they are; what is empty is no secret."""
    value = {"a": [{"sip": {"username": "u", "password": ""}}, 1], "api_key": {"x": 1}, "b": "u"}

    assert {"a": [{"sip": {"username": "***", "password": ""}}, 1], "api_key": "***", "b": "u"} == hide_secrets(value)
    assert ({"pin": "***"}, {"auth": True}, {"otp": None}) == hide_secrets(({"pin": 0}, {"auth": True}, {"otp": None}))
