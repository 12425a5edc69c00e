"""What many visitors share: settings, the queue, the cache, the models."""
