"""The bridge over NATS, in PURISTA's wire format: commands by request and reply, events through JetStream."""

from bakeoff.bridge.nats.bridge import NatsBridge

__all__ = ["NatsBridge"]
