//! The spool of events: outbox, segments, consumers.
