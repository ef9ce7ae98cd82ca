"""Operating-system processes: started, watched, killed, and never left behind."""

from bakeoff.processes.affinity import NO_AFFINITY, Split, available_cpus, pinned, split
from bakeoff.processes.child import Child, is_gone, kill_session, session_members, stop_session
from bakeoff.processes.interruption import removed_at_last, run_interruptibly
from bakeoff.processes.launcher import Launch, Launcher
from bakeoff.processes.pause import is_stopped, pause_session, resume_session
from bakeoff.processes.ports import free_ports, port_is_free
from bakeoff.processes.scratch import scratch_folder, sweep
from bakeoff.processes.uninterrupted import uninterrupted
from bakeoff.processes.workers import Workers

__all__ = [
    "NO_AFFINITY",
    "Child",
    "Launch",
    "Launcher",
    "Split",
    "Workers",
    "available_cpus",
    "free_ports",
    "is_gone",
    "is_stopped",
    "kill_session",
    "pause_session",
    "pinned",
    "port_is_free",
    "removed_at_last",
    "resume_session",
    "run_interruptibly",
    "scratch_folder",
    "session_members",
    "split",
    "stop_session",
    "sweep",
    "uninterrupted",
]
