-- How the hub came to its present key: each key's word for the next one. Agents that trust an earlier one follow it.
CREATE TABLE hub_key_successions (
    number BIGINT PRIMARY KEY,                  -- from 1
    statement TEXT NOT NULL                     -- JSON of Signed
);
