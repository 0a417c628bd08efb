"""How the parts of the engine hear of each other: every coupling that goes up, in one place."""

from __future__ import annotations

from itsjustintv_desktop.engine.announce.pause import Pause
from itsjustintv_desktop.engine.announce.pipeline import Pipeline
from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.core.clock_trust import ClockTrust
from itsjustintv_desktop.engine.delivery.dispatcher import Dispatcher
from itsjustintv_desktop.engine.ingress.intake import EventIntake
from itsjustintv_desktop.engine.ingress.manager import IngressManager
from itsjustintv_desktop.engine.ingress.webhook_secret import WebhookSecret
from itsjustintv_desktop.engine.monitoring.telemetry.telemetry import Telemetry
from itsjustintv_desktop.engine.monitoring.updates.check import UpdateCheck
from itsjustintv_desktop.engine.runtime.maintenance import Maintenance
from itsjustintv_desktop.engine.storage.output import OutputFile
from itsjustintv_desktop.engine.twitch.twitch import Twitch


def wire(
    *,
    config: ConfigHolder,
    twitch: Twitch,
    secret: WebhookSecret,
    intake: EventIntake,
    pipeline: Pipeline,
    pause: Pause,
    dispatcher: Dispatcher,
    maintenance: Maintenance,
    output: OutputFile,
    reach: IngressManager,
    updates: UpdateCheck,
    telemetry: Telemetry,
    clock_trust: ClockTrust,
) -> None:
    """Connect them. Once, before anything runs."""
    intake.stored.connect(pipeline.wake)
    reach.catch_up.stored.connect(pipeline.wake)
    pipeline.announced.connect(dispatcher.wake, output.changed)
    pipeline.broadcast_seen.connect(reach.catch_up.heard)
    pipeline.revoked.connect(reach.revoked)
    pipeline.unwatched.connect(reach.unwatched)
    pause.changed.connect(dispatcher.wake)
    dispatcher.changed.connect(output.changed)
    maintenance.changed.connect(output.changed)
    secret.changed.connect(lambda: reach.subscriptions.trigger("secret"))
    reach.wake.woke_up.connect(clock_trust.woke, reach.woke_up)
    reach.recheck.connect(dispatcher.wake, pipeline.wake)

    twitch.directory.changed.connect(config.set_channels)
    config.channels_changed.connect(twitch.trickle.trigger, reach.channels_changed)

    config.applied.connect(
        twitch.directory.refresh,
        twitch.trickle.trigger,
        reach.channels_changed,
        pipeline.wake,
        dispatcher.wake,
        maintenance.trigger,
        lambda: telemetry.apply(config.current.config.telemetry),
        output.changed,
        updates.trigger,
    )
