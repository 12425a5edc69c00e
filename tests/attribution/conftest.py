"""Networks that several tests take copies of."""

from __future__ import annotations

import pytest

from effnet_viz.engines.network import Network
from effnet_viz.models.model import Model
from tests.conftest import eager


@pytest.fixture(scope="session")
def lite0_network(lite0: Model) -> Network:
    return lite0.module()


@pytest.fixture(scope="session")
def b0() -> Network:
    """Untrained; nothing is converted for it."""
    return eager("b0", untrained=True).module()
