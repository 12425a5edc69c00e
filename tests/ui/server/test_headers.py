"""What the headers say; test_serving.py has what a browser makes of it."""

from __future__ import annotations

from effnet_viz.ui.server.headers import content_security_policy, security_headers


def test_the_policy_allows_nothing_from_elsewhere() -> None:
    rules = dict(rule.split(" ", 1) for rule in content_security_policy().split("; "))
    assert rules["default-src"] == rules["frame-ancestors"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    assert "'sha256-" in rules["script-src"]
    sources = {source for sources in rules.values() for source in sources.split()}
    assert not {source for source in sources if "*" in source or "//" in source}


def test_only_the_page_itself_may_use_the_camera() -> None:
    features = security_headers()["Permissions-Policy"].split(", ")
    assert [feature for feature in features if not feature.endswith("=()")] == ["camera=(self)"]
