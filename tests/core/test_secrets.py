"""What is masked, and what only sounds like it."""

from __future__ import annotations

import pytest

from perijove.core.secrets import mask_url, mask_values, masked, secret_name


@pytest.mark.parametrize(
    "name",
    [
        "password", "db_password", "DB_PASSWD", "apiKey", "api-key", "API_KEY", "aws_secret_access_key",
        "token", "hf_token", "accessToken", "client.secret", "Authorization", "private_key",
        "connection_string", "dsn", "credentials", "passphrase",
    ],
)  # fmt: skip
def test_names_of_secrets(name):
    assert secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens", "max_new_tokens", "pad_token", "pad_token_id", "eos_token_id", "tokenizer",
        "num_tokens", "n_passes", "bypass", "key", "sort_key", "author", "secretary", "token_type",
        "learning_rate", "authors", "monkey",
    ],
)  # fmt: skip
def test_names_that_are_none(name):
    assert not secret_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "ABCDEFGHIJKLMNOP", "ghp_" + "a" * 36, "hf_" + "b" * 34, "sk-" + "c" * 40,
        "xoxb-" + "1234567890-abc", "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.SflKxwRJSM",
        "-----BEGIN RSA " + "PRIVATE KEY-----",
    ],
)  # fmt: skip
def test_values_that_are_secrets_whatever_their_name(text):
    kept, found = mask_values({"note": f"use {text} here"})
    assert found == ["note"]
    assert text not in kept["note"]


def test_a_login_in_a_url_goes_and_the_rest_stays():
    assert masked("postgresql://me:pw@db:5432/x?a=1") == "postgresql://***@db:5432/x?a=1"
    assert masked("https://example.org/a@b:c") == "https://example.org/a@b:c"
    assert mask_url("https://user:pw@host/path?token=1") == "https://host/path"
    assert mask_url("sqlite:////home/me/own.db") == "sqlite:////home/me/own.db"


def test_what_says_nothing_is_kept():
    values = {"token": "", "password": "None", "auth": "true", "text": "plain", "n": "3"}
    assert mask_values(values) == (values, [])
