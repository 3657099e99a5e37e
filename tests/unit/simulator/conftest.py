import pytest

from tests.simulator.tenant import Tenant
from tests.unit.simulator.calling import BASE, Caller


@pytest.fixture
def api() -> Caller:
    return Caller(Tenant(base_url=BASE))
