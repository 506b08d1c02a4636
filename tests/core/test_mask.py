import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mihu_async.core.mask import Mask, hide_secrets, secrets_in

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
    """Escaping a secret does not carry it past the mask."""
    text = Mask((SECRET,))(f"before {echo} after")

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
    assert shown == Mask((secret,)).name(name)


def test_a_short_secret_does_not_garble_every_message():
    """A password of three letters stands in ordinary words."""
    assert "the pad" == Mask(("pad",))("the pad")


def test_a_mask_does_not_show_what_it_hides():
    """Its own repr is safe."""
    assert SECRET not in repr(Mask((SECRET,)))


def test_a_longer_secret_is_hidden_before_a_shorter_one_within_it():
    """No tail of the longer one is left."""
    assert "***" == Mask(("abcd", "abcdefgh"))("abcdefgh")


@given(secret=st.text(min_size=4), before=st.text(), after=st.text())
def test_no_text_keeps_the_secret(secret, before, after):
    """Whatever surrounds it, the secret's place is taken."""
    assert "***" in Mask((secret,))(before + secret + after)


def test_secrets_are_found_by_the_names_they_stand_under():
    """Passwords, usernames and tokens are found at any depth; other values are not secrets."""
    value = {
        "sip": {"gateway": "g", "username": "user", "password": "pass"},
        "list": [{"api_token": "t"}, ("x", {"client_secret": "s"})],
        "password": {"nested": "n", "Password": "p2"},
        "token": 5,
    }

    assert ["user", "pass", "t", "s", "n", "p2", "5"] == list(secrets_in(value))
    assert [] == list(secrets_in("text"))


def test_secrets_are_hidden_by_their_names():
    """However deep they stand and however short they are; what is empty is no secret."""
    value = {"a": [{"sip": {"username": "u", "password": ""}}, 1], "api_key": {"x": 1}, "b": "u"}

    assert {"a": [{"sip": {"username": "***", "password": ""}}, 1], "api_key": "***", "b": "u"} == hide_secrets(value)
