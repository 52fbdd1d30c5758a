"""Operators see health and act on it; customers see what works."""

from __future__ import annotations

from datetime import timedelta

import pytest
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from creditcore.domain.jobs import Job, JobState
from creditcore.domain.lease import Lease
from creditcore.domain.monitoring import RAISE_AFTER
from creditcore.domain.people import Role
from creditcore.usecases.monitoring.watch import WATCH
from tests.integration.test_access_matrix import Site, Visitor


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Nothing behind it answers, and a job is dead."""
    site = Site(tmp_path_factory.mktemp("watched"))
    now = site.services.clock.now()
    with site.services.transactions.begin() as tx:
        tx.jobs.enqueue("sync", "1", {}, run_at=now - timedelta(hours=1))
        tx.jobs.save(tx.jobs.lock("sync", "1").bury("It broke.", at=now))
        tx.commit()
    job = Job(kind=WATCH, business_key="now", run_at=now, lease=Lease())
    for _ in range(RAISE_AFTER):
        site.services.operations.watch.watch(job)
    return site


@pytest.fixture(scope="module")
def operator(site: Site) -> Visitor:
    return site.visitor(Role.ADMIN)


def act(site: Site, operator: Visitor, body: object) -> TestResponse:
    signer = URLSafeTimedSerializer(site.app.secret_key, salt="wtf-csrf-token")
    return operator.client.post(
        "/api/admin/monitoring",
        json=body,
        headers={"X-CSRFToken": signer.dumps("of this visitor"), "Accept": "application/json"},
    )


def test_an_operator_sees_what_fails_and_since_when(site: Site, operator: Visitor) -> None:
    found = operator.client.get("/api/admin/monitoring").json

    assert not found["healthy"]
    assert found["checks"]["database"]["healthy"]
    assert found["checks"]["model server"]["trouble_since"]
    assert found["checks"]["payments"]["detail"]
    assert {"kind": "sync", "waiting": 0, "oldest_due_at": None, "dead": 1} in found["jobs"]
    assert "monitor:model server" in {alert["key"] for alert in found["alerts"]}
    assert site.services.operations.watch.troubles()


def test_customers_see_trouble_without_internals(site: Site) -> None:
    page = site.app.test_client().get("/status").text

    assert "Something is in trouble" in page
    assert "Nothing is charged for those" in page
    assert "127.0.0.1" not in page


def test_an_operator_acts_and_it_is_kept(site: Site, operator: Visitor) -> None:
    known = act(site, operator, {"action": "acknowledge", "key": "monitor:payments"})
    retried = act(site, operator, {"action": "retry_dead", "kind": "sync"})

    assert (known.status_code, retried.json) == (200, {"retried": 1})
    alerts = operator.client.get("/api/admin/monitoring").json["alerts"]
    assert "monitor:payments" not in {alert["key"] for alert in alerts}
    with site.services.transactions.begin() as tx:
        assert tx.jobs.lock("sync", "1").state is JobState.WAITING
        acts = {(each.act, each.actor.id) for each in tx.activity.recent(limit=2)}
    assert acts == {
        ("alert.acknowledged", operator.person.id),
        ("job.retried", operator.person.id),
    }


@pytest.mark.parametrize(
    "body",
    [[], {}, {"action": "reboot"}, {"action": "acknowledge"}, {"action": "retry_dead", "kind": 7}],
)
def test_an_act_that_is_none_is_refused(site: Site, operator: Visitor, body: object) -> None:
    answer = act(site, operator, body)

    assert answer.status_code == 400
    assert answer.json["error"]["message"]
