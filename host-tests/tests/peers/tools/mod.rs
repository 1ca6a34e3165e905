//! Peers that are called by their own command line: programs and proxies.
