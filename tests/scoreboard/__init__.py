"""What `make scoreboard` counts: faults survived, bad inputs refused, kills, and what was lost or doubled by them.

A test says what it proves with `@pytest.mark.fault("group: what goes wrong", seen="what a user sees")`; what stands in
double quotes in `seen` is asserted in that test's file. It counts with `record_property(NAME, number)`.
"""
