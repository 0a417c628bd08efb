"""The way through ngrok: its agent program as a managed child process.

The agent is driven here and not by pyngrok, whose start blocks in a readline that no deadline ends, hands the child our
whole environment, and writes the agent's lines into the log as they are (one of them names the authtoken). What pyngrok
knows is used: where the agent is downloaded from for each system, and how its log lines are read.
"""

from itsjustintv_desktop.engine.ingress.ngrok.transport import NgrokTransport

__all__ = ["NgrokTransport"]
