"""Each limit of a sender holds for one network, whatever addresses its customer makes up."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from app.server import connection_limits
from app.server.senders import network_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
        ("a socket", "a socket"),
    ],
)
def test_a_customer_of_a_provider_is_one_sender(address, network):
    assert network_of(address) == network


@pytest.mark.parametrize(("proxy", "believed"), [(False, False), (True, True)])
def test_only_behind_a_proxy_a_header_says_whose_a_request_is(monkeypatch, proxy, believed):
    given: dict[str, object] = {}
    monkeypatch.setattr(connection_limits, "LIMITS", SimpleNamespace(behind_proxy=proxy))
    connection_limits.within_limits(lambda self, **kwargs: given.update(kwargs))(object())
    assert given.get("xheaders", False) is believed


def test_the_configurations_for_a_class_let_no_browser_write_its_own_address():
    nginx = (ROOT / "app/server/DEPLOY.md").read_text()
    for header in ("X-Forwarded-For", "X-Real-IP"):  # those that Tornado reads
        assert f"proxy_set_header {header} " in nginx
    assert "BABYSIT_BEHIND_PROXY: 1" in nginx
    assert "xheaders" not in (ROOT / "Dockerfile").read_text()
