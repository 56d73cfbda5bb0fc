//! Reads a fleet's log as it grows, and feeds [`Log`](super::Log).
