"""Are the secrets at hand, and the place where they live?"""

from __future__ import annotations

from itsjustintv_desktop.engine.monitoring.doctor.check import Check, amber, green, red
from itsjustintv_desktop.engine.monitoring.doctor.facts import SecretsFacts

_ENTER = "Enter it in config.toml under [twitch]; `config move-secrets` takes it to the keyring."
_CONSOLE = "dev.twitch.tv/console/apps"
_STATES = {
    "locked": "Unlock the keyring; it is tried again by itself.",
    "absent": 'Set [secrets] store = "passphrase" (with ITSJUSTINTV_PASSPHRASE) or "memory", or install a keyring.',
    "wrong-passphrase": "Start the program with the right ITSJUSTINTV_PASSPHRASE.",
    "damaged": "Enter the secrets that were in it again.",
}


def secrets(facts: SecretsFacts) -> Check:
    """What Twitch has to be asked with, and what its messages are verified with."""
    name = "secrets"
    if not facts.has_client_id:
        return red(
            name,
            "No [twitch] client_id is set, so Twitch cannot be asked to tell us anything.",
            f"Register an application at {_CONSOLE} and enter its client id.",
        )
    if facts.client_problem is not None:
        text = f"The client secret cannot be looked up: {facts.client_problem.message}"
        return red(name, text, _STATES.get(facts.state.status, ""))
    if not facts.has_client_secret:
        return red(name, f"No client secret is there. Make one at {_CONSOLE}.", _ENTER)
    if facts.signing_problem is not None:
        text = f"Twitch's messages cannot be verified yet: {facts.signing_problem}"
        return red(name, text, _STATES.get(facts.state.status, ""))
    if facts.in_clear:
        return green(name, f"They are at hand. {len(facts.in_clear)} of them can be read in config.toml by whoever "
                     "may read that file; `config move-secrets` moves them to the keyring.")  # fmt: skip
    return green(name, "They are at hand.")


def keyring(facts: SecretsFacts) -> Check:
    """The store itself: what lies in it can be had after the next start, too."""
    name, state = "keyring", facts.state
    if facts.choice == "memory":
        return green(name, 'Nothing is kept there: [secrets] store = "memory", so secrets come from the config.')
    if state.status == "ready":
        where = "The keyring is open." if facts.choice == "keyring" else "The vault is open."
        return green(name, where)
    if state.status == "unopened":
        return green(name, "It was not needed yet: no secret lies there.")
    said = "This machine has no keyring." if state.status == "absent" else state.message or "It cannot be opened."
    return amber(name, said, _STATES.get(state.status, ""))
