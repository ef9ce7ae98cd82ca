"""The process that makes the load: Locust around an asyncio client of one engine."""
