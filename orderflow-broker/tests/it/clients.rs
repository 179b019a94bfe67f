//! External clients.
