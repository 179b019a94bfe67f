//! The server half of the console: accounts, tokens, timeline, live stream.
