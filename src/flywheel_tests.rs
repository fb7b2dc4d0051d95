//! Pages written and read again; pairing, on made-up entries.
