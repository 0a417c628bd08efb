"""The import itself, in order: config, then all that goes by its names, then secrets.

Every page of entries is one transaction, and every entry is recognised when it comes again. So an import that was
killed is completed by repeating it, and one that is repeated changes nothing. The folder of the Go service is only
read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from itsjustintv_desktop.engine.config.destinations import effective_destinations
from itsjustintv_desktop.engine.config.load import load
from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.control.lock import InstanceLock
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import AlreadyRunningError, AppError, ConfigError, UsageError
from itsjustintv_desktop.engine.core.models import Webhook
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.import_go import assets, configuration, reader, secrets
from itsjustintv_desktop.engine.import_go.lists import Lists, Progress, guarded
from itsjustintv_desktop.engine.import_go.names import Names
from itsjustintv_desktop.engine.import_go.next_steps import next_steps
from itsjustintv_desktop.engine.import_go.payload import Pictures
from itsjustintv_desktop.engine.import_go.report import Moved, Part, State, number
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.secrets import SecretStore, move_into_keyring
from itsjustintv_desktop.engine.twitch.subscriptions.models import target_text


async def run_import(
    folder: Path,
    paths: Paths,
    environ: Mapping[str, str],
    clock: Clock,
    *,
    go_config: Path | None = None,
    move_secrets: bool = False,
    progress: Progress = lambda _: None,
) -> Moved:
    """Take over what the Go service left in `folder`. `progress` gets a few words now and then.

    Raises NotFoundError, UsageError (that is no folder to import from), AlreadyRunningError, ConfigError,
    ConfigSaveError, DataDirectoryError, LedgerError.
    """
    layout = await asyncio.to_thread(reader.find, folder, go_config)
    _keep_apart(layout, paths)
    await asyncio.to_thread(paths.create)
    lock = InstanceLock(paths.lock)
    try:
        lock.acquire()
    except AlreadyRunningError:
        raise AlreadyRunningError(
            "The program runs with this data directory, and an import changes what it works from. Stop it (Ctrl-C, or "
            "quit it), then repeat this command."
        ) from None
    try:
        go, first = await asyncio.to_thread(_config, layout, paths, environ)
        config = (await asyncio.to_thread(load, paths.config, environ, named=paths.config_named)).config
        ledger = Ledger(paths.ledger, clock)
        store = SecretStore.open(
            config.secrets.store,
            vault=paths.vault,
            passphrase=environ.get("ITSJUSTINTV_PASSPHRASE"),
            clock=clock,
        )
        try:
            await ledger.open()
            parts = [first, *await _everything(layout, paths, go, config, ledger, store, clock, progress)]
            if move_secrets:
                parts.append(await _move_secrets(go, paths, environ, store))
        finally:
            await store.close()
            await ledger.close()
        return Moved(folder=str(layout.root), parts=parts, next_steps=next_steps(config))
    finally:
        lock.release()


def _keep_apart(layout: reader.Layout, paths: Paths) -> None:
    """Nothing may be written among the Go service's files. Raises UsageError."""
    ours, theirs = paths.data.resolve(), layout.data.resolve()
    if ours in {theirs, layout.root.resolve()} or ours.is_relative_to(theirs):
        raise UsageError(
            f"{ours} is the Go service's own folder. Choose another --data-dir, so that its files stay as they are."
        )


def _config(
    layout: reader.Layout, paths: Paths, environ: Mapping[str, str]
) -> tuple[configuration.GoConfig | None, Part]:
    """The Go service's config, taken over. Raises ConfigError, ConfigSaveError; nothing was written then."""
    part = Part(name=reader.CONFIG, state=State.NOTHING)
    go: configuration.GoConfig | None = None
    ours = paths.config.exists()
    try:
        go = None if layout.config is None else configuration.read(layout.config)
        if go is not None:
            return go, configuration.take_over(go, paths.config, environ)
    except (ConfigError, UsageError) as error:
        if not ours:
            advice = f"Nothing was taken over. Mend this in a copy of {layout.config} and name it with --go-config."
            raise ConfigError([error.message, advice]) from None
        what = "Yours could not be completed" if go is not None else "It cannot be used"
        part.fail(f"{what}: {error.message}")
        part.notes.append("Yours stays as it is, and the rest goes by it.")
        return go, part
    part.notes.append("There is no config.toml beside the data. If it lies elsewhere, add --go-config PATH.")
    return None, part


async def _everything(
    layout: reader.Layout,
    paths: Paths,
    go: configuration.GoConfig | None,
    config: Config,
    ledger: Ledger,
    store: SecretStore,
    clock: Clock,
    progress: Progress,
) -> list[Part]:
    usual = Config()
    theirs = usual if go is None else go.config
    file_path = "" if theirs.output.file_path == usual.output.file_path else theirs.output.file_path
    vault, vault_problem = await secrets.addresses(config, store)
    pictures = Pictures(paths.images)
    lists = Lists(config, ledger, Names(config, None if go is None else theirs, vault), pictures, clock, progress)
    addresses = {
        f"{place}.{name}": vault.get(name, each.url)
        for place, destinations in enumerate(map(effective_destinations, (theirs, config)))
        for name, each in destinations.items()
    }
    queue = layout.place(theirs.retry.state_file, reader.QUEUE)
    tokens = layout.place(theirs.twitch.token_file, reader.TOKENS)
    output = layout.place(file_path, reader.OUTPUT)
    ours = paths.resolve(config.output.file_path) if config.output.enabled else None
    # What streams are known as comes first: without it nothing of the rest would keep one from being told twice. The
    # past comes before the queue, so that what waits stands above it in every list.
    parts = [
        await guarded(reader.CACHE, lists.seen(layout.data / reader.CACHE)),
        await guarded(reader.OUTPUT, lists.past(output, queue, addresses, ours)),
        await guarded(reader.QUEUE, lists.queue(queue, vault_problem)),
        await guarded(reader.TOKENS, secrets.token(tokens, config.twitch.client_id, store, clock.now())),
    ]
    part, profiles = await asyncio.to_thread(
        assets.pictures,
        layout.data / reader.IMAGES,
        paths.images,
        await ledger.load_profiles(),
        pictures.addresses,
    )
    await ledger.save_profiles(profiles)
    if pictures.unkept:
        part.fail(f"{number(pictures.unkept, 'picture')} could not be written. Free space, then repeat.")
    parts.append(part)
    certificates = layout.place(theirs.server.tls.cert_dir, reader.CERTS)
    folder = paths.resolve(config.server.tls.cert_dir)
    parts.append(await asyncio.to_thread(assets.certificate, certificates, folder, config, clock.now()))
    callback = theirs.twitch.incoming_webhook_url
    if callback and theirs.twitch.client_id == config.twitch.client_id:
        # Where the Go service was reached counts as ours, so that its subscriptions end once we have our own.
        target = target_text(Webhook(callback))
        if target not in await ledger.targets():
            await ledger.remember_target(target)
    return parts


async def _move_secrets(
    go: configuration.GoConfig | None, paths: Paths, environ: Mapping[str, str], store: SecretStore
) -> Part:
    part = Part(name="secrets")
    if go is not None and paths.config.exists() and paths.config.samefile(go.path):
        part.state = State.LEFT
        part.notes.append("They stay in the file, because it is the Go service's own.")
        return part
    keys = (await asyncio.to_thread(load, paths.config, environ)).secrets_in_clear
    try:
        await store.unlock()
        part.taken = len(await move_into_keyring(paths.config, keys, store, environ=environ)) if keys else 0
    except AppError as error:
        part.fail(f"They stay in the file: {error.message} `config move-secrets` tries it again.")
        return part
    part.left_out = len(keys) - part.taken
    return part
