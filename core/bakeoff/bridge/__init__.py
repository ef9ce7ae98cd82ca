"""The message bridge between the steps of sagas and the services that do the work."""

from bakeoff.bridge.interface import Address, Bridge, Event, Handler, Listener, Request, Serving

__all__ = ["Address", "Bridge", "Event", "Handler", "Listener", "Request", "Serving"]
