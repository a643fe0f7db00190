"""The model: asked through the SDK, within limits, retried by one policy, paid for and accounted for."""
