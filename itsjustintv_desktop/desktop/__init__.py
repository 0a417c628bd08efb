"""What the operating system gives a desktop program: one instance, starting with the machine, waking, notifications."""
