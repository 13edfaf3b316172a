-- Sessions of people, valid at every hub on the database until they end or the admin token is another one.
CREATE TABLE sessions (
    session_hash    TEXT   NOT NULL PRIMARY KEY,   -- SHA-256 of the cookie's secret
    opened_by       TEXT   NOT NULL,               -- SHA-256 of the admin token that opened it
    ends_at         BIGINT NOT NULL
);
