"""What a person may ask of the engine, put together out of its parts."""

from __future__ import annotations

from collections.abc import Callable

from itsjustintv_desktop.engine.api.announcements import Announcements
from itsjustintv_desktop.engine.api.api import Api
from itsjustintv_desktop.engine.api.channels import Channels
from itsjustintv_desktop.engine.api.connection import Connection
from itsjustintv_desktop.engine.api.deliveries import Deliveries
from itsjustintv_desktop.engine.api.delivery_details import DetailsReader
from itsjustintv_desktop.engine.api.destinations import Destinations
from itsjustintv_desktop.engine.api.diagnostics import Diagnostics
from itsjustintv_desktop.engine.api.events import Events
from itsjustintv_desktop.engine.api.feed import Feed
from itsjustintv_desktop.engine.api.settings.connection_check import ConnectionCheck, CredentialsCheck
from itsjustintv_desktop.engine.api.settings.destinations import Destinations as EditDestinations
from itsjustintv_desktop.engine.api.settings.documents import Documents
from itsjustintv_desktop.engine.api.settings.form import Form
from itsjustintv_desktop.engine.api.settings.lookup import ChannelLookup
from itsjustintv_desktop.engine.api.settings.preview import Previews
from itsjustintv_desktop.engine.api.settings.rename import DestinationRename
from itsjustintv_desktop.engine.api.settings.repair import ConfigRepair, Repair
from itsjustintv_desktop.engine.api.settings.secrets import Secrets
from itsjustintv_desktop.engine.api.settings.settings import Settings
from itsjustintv_desktop.engine.api.settings.streamers import Streamers
from itsjustintv_desktop.engine.api.settings.transfer import Transfer
from itsjustintv_desktop.engine.api.snapshot import SnapshotReader
from itsjustintv_desktop.engine.api.statistics import Counter
from itsjustintv_desktop.engine.api.subscriptions import Subscriptions
from itsjustintv_desktop.engine.api.support import KnownSecrets, Support
from itsjustintv_desktop.engine.assembly import Core, Delivery, Ingress, Monitoring, Storage
from itsjustintv_desktop.engine.delivery.attempt import Sender
from itsjustintv_desktop.engine.runtime.config_reloader import ConfigReloader
from itsjustintv_desktop.engine.twitch.twitch import Twitch


def build_api(
    core: Core,
    storage: Storage,
    twitch: Twitch,
    ingress: Ingress,
    delivery: Delivery,
    monitoring: Monitoring,
    *,
    sender: Sender,
    reloader: ConfigReloader,
    try_again: Callable[[], None],
    started_at: Callable[[], float],
) -> Api:
    """`try_again` is called when a secret may be another; `started_at` is when the engine was started, Unix seconds."""
    config, clock, paths, environ = core.config, core.options.clock, core.options.paths, core.options.environ
    ledger, secrets, signing, dispatcher = storage.ledger, storage.secrets, ingress.signing, delivery.dispatcher

    def more_to_send() -> None:
        dispatcher.wake()
        storage.output.changed()

    def secrets_changed() -> None:
        signing.look_again()
        dispatcher.wake()

    destinations = Destinations(dispatcher, config, clock)
    channels = Channels(twitch.directory, config)
    diagnostics = Diagnostics(monitoring.doctor, channels, ingress.manager, ingress.address, paths.logs)
    documents = Documents(paths.config, environ, config, reloader if core.options.listen else None)
    edit_destinations = EditDestinations(documents, secrets, ledger, destinations, dispatcher.wake)
    known_secrets = KnownSecrets(secrets, signing, paths.config, environ, config)
    credentials = CredentialsCheck(storage.values, environ, core.outbound, config, clock)
    return Api(
        announcements=Announcements(delivery.pause, delivery.pipeline, ledger, destinations, channels, clock),
        channels=channels,
        conduits=ingress.manager.conduit_manager,
        connection=Connection(ingress.manager, ledger, paths.ngrok, core.outbound),
        deliveries=Deliveries(ledger, destinations, dispatcher.latest_due, more_to_send, config, core.bus, clock),
        delivery_details=DetailsReader(ledger, dispatcher, sender, twitch.images.read, config),
        destinations=destinations,
        diagnostics=diagnostics,
        events=Events(ledger),
        feed=Feed(ledger, twitch, config),
        settings=Settings(
            documents=documents,
            repair=Repair(ConfigRepair(paths.config, environ), documents),
            form=Form(documents),
            channels=ChannelLookup(twitch, storage.values, config),
            streamers=Streamers(documents, ledger, twitch.helix),
            destinations=edit_destinations,
            rename=DestinationRename(documents, secrets, ledger, dispatcher, core.supervisor, more_to_send, clock),
            preview=Previews(edit_destinations, sender, twitch, ledger, config, clock),
            secrets=Secrets(documents, secrets, storage.values, try_again),
            transfer=Transfer(documents, secrets, secrets_changed),
            connection_check=ConnectionCheck(credentials, paths.ngrok, ingress.well_known, ingress.address),
        ),
        snapshot=SnapshotReader(
            doctor=monitoring.doctor,
            ingress=ingress.manager,
            profiles=twitch.profiles,
            dispatcher=dispatcher,
            pause=delivery.pause,
            signing=signing,
            secrets=secrets,
            reloader=reloader,
            updates=monitoring.updates,
            config=config,
            address=ingress.address,
            started_at=started_at,
            clock=clock,
        ),
        statistics=Counter(ledger, clock),
        subscriptions=Subscriptions(
            ingress.manager, signing, channels, ledger, twitch.helix, config, listens=core.options.listen
        ),
        support=Support(diagnostics, monitoring.doctor, ingress.manager, ledger, known_secrets, config, clock),
        updates=monitoring.updates,
    )
