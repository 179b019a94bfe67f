//! Real PostgreSQL, real broker and real tokens for the tests of the services.
