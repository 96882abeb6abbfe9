"""Evaluates what the clients of one scenario have recorded."""

from dataclasses import dataclass, field

from load import Recorded

# Between the first answer of the new primary and the first write through bearward.
LIMIT = 10
# A write that succeeded is evidence of a writable database for 5 s, and a probe takes up to 3 s.
READINESS_DELAY = 8
NEVER = float("inf")
# A probe finds the new primary before the next write of a client does.
READINESS_LEAD = 3


@dataclass
class Row:
    """The figures of one replica in one scenario."""

    scenario: str
    replica: str
    without_writes: float
    recovery: float
    last_failure: float
    acknowledged: int
    failed: int
    protected: int
    lost: int = 0
    doubled: int = 0
    faults: list[str] = field(default_factory=list)


def evaluate(scenario, replica, recorded: Recorded, fault_at, answered_at) -> Row:
    """Compares the recorded requests with what is required. `answered_at` is the first answer of the new primary."""
    writes = sorted(recorded.writes, key=lambda event: event.end)
    good = [event for event in writes if event.status == 201]
    failed = [event for event in writes if event.status != 201]
    # The longest pause. It may end before this script gets its own first answer.
    ends = [fault_at] + [event.end for event in good if event.end > fault_at]
    without_writes, first_good = max(((end - start, end) for start, end in zip(ends, ends[1:])), default=(NEVER, NEVER))
    row = Row(
        scenario,
        replica,
        without_writes=without_writes,
        recovery=max(first_good - answered_at, 0),
        last_failure=max((event.end - answered_at for event in failed if event.end > answered_at), default=0),
        acknowledged=len(recorded.acknowledged),
        failed=len(failed),
        protected=len(recorded.protected),
    )
    if row.recovery > LIMIT:
        row.faults.append(f"the first write succeeds {row.recovery:.1f} s after the new primary answers; allowed are {LIMIT} s")
    statuses = {event.status for event in failed} - {503}
    if statuses:
        row.faults.append(f"writes were answered with {statuses} (0: not at all)")
    refused = [event for event in recorded.protected if event.status != 200]
    if refused or not recorded.protected:
        row.faults.append(f"/protected failed {len(refused)} of {len(recorded.protected)} times: {refused[:3]}")
    check_readiness(row, recorded, failed, first_good)
    return row


def check_readiness(row, recorded, failed, first_good):
    """The probe is 503 while writes fail, and 200 afterwards."""
    probes = recorded.readiness
    first_failure = min((event.end for event in failed), default=first_good)
    while_failing = [event for event in probes if event.start > first_failure + READINESS_DELAY and event.end < first_good - READINESS_LEAD]
    wrong = [event for event in while_failing if event.status != 503]
    if wrong:
        row.faults.append(f"/readyz was {wrong[0].status} {first_good - wrong[0].end:.1f} s before the first write that succeeded")
    if not any(event.status == 200 for event in probes if event.start > first_good):
        row.faults.append("/readyz was not 200 after writes succeeded")


def table(rows: list[Row]) -> str:
    """Returns the figures as text."""
    head = ["scenario", "replica", "s without write", "s to first write", "s to last 503", "acknowledged", "503", "lost", "doubled", "/protected"]
    lines = [head] + [
        [row.scenario, row.replica, f"{row.without_writes:.1f}", f"{row.recovery:.1f}", f"{row.last_failure:.1f}", str(row.acknowledged),
         str(row.failed), str(row.lost), str(row.doubled), str(row.protected)]
        for row in rows
    ]  # fmt: skip
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = (" | ".join(cell.ljust(width) for cell, width in zip(line, widths)) for line in lines)
    return "\n".join(line.rstrip() for line in text)
