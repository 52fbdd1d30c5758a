"""The use cases of API keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from creditcore.services.ports import Ports
from creditcore.services.rules import Rules
from creditcore.usecases.jobs.send_mail import SendMail
from creditcore.usecases.keys.change_key import ChangeKey
from creditcore.usecases.keys.issue_key import IssueKey
from creditcore.usecases.keys.limit_account import LimitAccount
from creditcore.usecases.keys.mirror_keys import MirrorKeys
from creditcore.usecases.keys.read_keys import ReadKeys
from creditcore.usecases.keys.recognise_key import RecogniseKey
from creditcore.usecases.keys.stop_runaways import StopRunaways
from creditcore.usecases.keys.tell_webhook import TellWebhook
from creditcore.usecases.keys.upstream_keyring import UpstreamKeyring


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyServices:
    """From issuing a key to its copy at the model server."""

    issuing: IssueKey
    changes: ChangeKey
    account_limits: LimitAccount
    stops: StopRunaways
    webhooks: TellWebhook
    views: ReadKeys
    recognition: RecogniseKey
    mirrors: MirrorKeys
    keyring: UpstreamKeyring

    @classmethod
    def of(cls, ports: Ports, rules: Rules, *, mails: SendMail) -> Self:
        """Build them."""
        store, clock, pepper = ports.transactions, ports.clock, rules.pepper
        webhooks = TellWebhook(clock=clock, webhooks=ports.key_webhooks, pepper=pepper)
        return cls(
            issuing=IssueKey(
                transactions=store,
                clock=clock,
                ids=ports.ids,
                pepper=pepper,
                defaults=rules.new_key_limits,
            ),
            account_limits=LimitAccount(transactions=store, clock=clock),
            stops=StopRunaways(transactions=store, clock=clock, mails=mails, webhooks=webhooks),
            webhooks=webhooks,
            changes=ChangeKey(transactions=store, clock=clock, ids=ports.ids, pepper=pepper),
            views=ReadKeys(transactions=store, clock=clock),
            recognition=RecogniseKey(transactions=store, clock=clock, pepper=pepper),
            mirrors=MirrorKeys(
                transactions=store,
                clock=clock,
                upstream=ports.upstream_keys,
                tariff=rules.tariff,
                wanted=rules.mirrors_keys,
            ),
            keyring=UpstreamKeyring(
                transactions=store,
                clock=clock,
                upstream=ports.upstream_keys,
                wanted=rules.mirrors_keys,
            ),
        )
